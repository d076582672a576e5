//! What the escrow refuses, and why. Nothing of Anchor is in this file: the tests include it.

/// A refusal, as the custom error of a failed instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum EscrowError {
    /// The amount is less than the smallest, 1,000,000 lamports, which is above the rent of an empty account.
    SmallAmount = 7000,
    /// `refundable_from` is not a slot to come.
    RefundableNow,
    /// The rollup account is not one of the settlement program's.
    NotARollup,
    /// The escrow account is not at the address of this payer and id.
    WrongEscrowAddress,
    /// The payer has an escrow of this id.
    EscrowExists,
    /// The signer is not the escrow's payer.
    NotPayer,
    /// The escrow has not paid, and may still have to.
    NotRefundable,
    /// The account for a receipt is not this program's, or too short to hold anything.
    NotAReceipt,
    /// The first write to a receipt account has to be signed by the account itself.
    ReceiptNotSigned,
    /// The signer is not who began to write this receipt.
    NotReceiptAuthority,
    /// The bytes at that offset reach past the receipt's end.
    OutsideReceipt,
    /// The escrow has paid.
    AlreadyPaid,
    /// The receipt is over 14,336 bytes: hashing it would not leave enough of a transaction's compute units.
    LongReceipt,
    /// The bytes are not a receipt in canonical form.
    InvalidReceipt,
    /// The receipt is for another rollup than the escrow's.
    WrongRollup,
    /// The receipt is of another node than the escrow's.
    WrongNode,
    /// The receipt is for another content than the escrow's.
    WrongContent,
    /// The node account is not that of the escrow's node.
    WrongNodeAccount,
    /// Who claims is not the node's authority.
    WrongPayee,
    /// The program given as the settlement program is another.
    WrongSettlementProgram,
    /// The spent account is not at the address of this payer and receipt.
    WrongSpentAddress,
    /// The payer has paid for this receipt before.
    AlreadySpent,
}
