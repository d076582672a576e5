//! The escrow program's calls, as a client makes them.

use cairn_interface::{Address, Instruction, SYSTEM_PROGRAM_ID};
use cairn_tests::settlement::PROGRAM_ID;
use cairn_types::{Digest, InclusionPath};
use solana_sdk::hash::hash;
use solana_sdk::pubkey::Pubkey;

/// The id that the program file declares.
pub const ESCROW_PROGRAM: Address = Address::constant("GnKXwtrPcnVR4Qe1c8tbSVgmcBiPAPGLgjGeTsq9WxwY");

/// Bytes of a receipt's account before the receipt.
pub const RECEIPT_HEAD: usize = 8 + 32;

/// What an escrow is for.
#[derive(Clone, Copy)]
pub struct Terms {
    pub id: u64,
    pub amount: u64,
    pub refundable_from: u64,
    pub node_index: u32,
    pub content_sha256: [u8; 32],
}

/// The accounts of a claim, in the program's order. The escrow's own and the system program are left out.
#[derive(Clone, Copy)]
pub struct Claim {
    pub payee: Address,
    pub escrow: Address,
    pub receipt: Address,
    pub node: Address,
    pub batch: Address,
    pub spent: Address,
    pub settlement: Address,
}

pub fn escrow_address(payer: &Address, id: u64) -> Address {
    find(&[b"escrow", &payer.0, &id.to_le_bytes()])
}

pub fn spent_address(payer: &Address, receipt: &Digest) -> Address {
    find(&[b"spent", &payer.0, &receipt.to_bytes()])
}

fn find(seeds: &[&[u8]]) -> Address {
    let program = Pubkey::new_from_array(ESCROW_PROGRAM.0);
    Address(Pubkey::find_program_address(seeds, &program).0.to_bytes())
}

pub fn deposit(payer: &Address, rollup: &Address, terms: &Terms) -> Instruction {
    let escrow = escrow_address(payer, terms.id);
    let data = [
        &terms.id.to_le_bytes()[..],
        &terms.amount.to_le_bytes(),
        &terms.refundable_from.to_le_bytes(),
        &terms.node_index.to_le_bytes(),
        &terms.content_sha256,
    ];
    call("deposit", &[(*payer, SIGNS | PAYS), (*rollup, 0), (escrow, PAYS), (SYSTEM_PROGRAM_ID, 0)], &data)
}

pub fn withdraw(payer: &Address, escrow: &Address) -> Instruction {
    call("withdraw", &[(*payer, SIGNS | PAYS), (*escrow, PAYS)], &[])
}

/// The system program's call that makes an account for a receipt of this length.
pub fn create_receipt(payer: &Address, receipt: &Address, length: usize, lamports: u64) -> Instruction {
    let space = (RECEIPT_HEAD + length) as u64;
    let data = [&0_u32.to_le_bytes()[..], &lamports.to_le_bytes(), &space.to_le_bytes(), &ESCROW_PROGRAM.0].concat();
    let accounts = metas(&[(*payer, SIGNS | PAYS), (*receipt, SIGNS | PAYS)]);
    Instruction { program_id: SYSTEM_PROGRAM_ID, accounts, data }
}

/// Writes to a receipt's account, which signs as well when it is `first`.
pub fn write_receipt(authority: &Address, receipt: &Address, first: bool, offset: u32, bytes: &[u8]) -> Instruction {
    let account = (*receipt, PAYS | if first { SIGNS } else { 0 });
    let length = (bytes.len() as u32).to_le_bytes();
    call("write_receipt", &[(*authority, SIGNS), account], &[&offset.to_le_bytes(), &length, bytes])
}

pub fn close_receipt(authority: &Address, receipt: &Address) -> Instruction {
    call("close_receipt", &[(*authority, SIGNS | PAYS), (*receipt, PAYS)], &[])
}

pub fn claim(accounts: &Claim, number: u64, path: &InclusionPath) -> Instruction {
    let metas = [
        (accounts.payee, SIGNS | PAYS),
        (accounts.escrow, PAYS),
        (accounts.receipt, 0),
        (accounts.node, 0),
        (accounts.batch, 0),
        (accounts.spent, PAYS),
        (accounts.settlement, 0),
        (SYSTEM_PROGRAM_ID, 0),
    ];
    call("claim", &metas, &[&number.to_le_bytes(), &path.to_bytes()])
}

/// The compute budget program's calls that ask for units, and offer a price for each.
pub fn budget(units: u32) -> [Instruction; 2] {
    let program_id = Address::constant("ComputeBudget111111111111111111111111111111");
    let limit = [&[2][..], &units.to_le_bytes()].concat();
    let price = [&[3][..], &1_000_u64.to_le_bytes()].concat();
    [limit, price].map(|data| Instruction { program_id, accounts: vec![], data })
}

const SIGNS: u8 = 1;
const PAYS: u8 = 2;

fn call(name: &str, accounts: &[(Address, u8)], data: &[&[u8]]) -> Instruction {
    let discriminator = hash(format!("global:{name}").as_bytes()).to_bytes();
    let data = [&discriminator[..8], &data.concat()].concat();
    Instruction { program_id: ESCROW_PROGRAM, accounts: metas(accounts), data }
}

fn metas(accounts: &[(Address, u8)]) -> Vec<cairn_interface::AccountMeta> {
    let meta = |(address, uses): &(Address, u8)| cairn_interface::AccountMeta {
        address: *address,
        is_signer: uses & SIGNS != 0,
        is_writable: uses & PAYS != 0,
    };
    accounts.iter().map(meta).collect()
}

/// The settlement program that the escrow goes by.
pub const SETTLEMENT_PROGRAM: Address = PROGRAM_ID;
