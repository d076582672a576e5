//! What nodes and whoever pays for them do with a [`Machine`].

use super::{Failure, Machine, PROGRAM_ID, address, pubkey};
use cairn_interface::{self as interface, Address, Instruction, Node, RegisterNode};
use cairn_types::{BatchHeader, ReceiptKey};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// A receipt key that is canonical, not zero, and another for each number.
#[must_use]
pub fn receipt_key(number: u64) -> ReceiptKey {
    ReceiptKey::from_words([number + 1, 2, 3, 4, number]).expect("small words")
}

impl Machine {
    /// A key with a hundred SOL.
    #[must_use]
    pub fn funded(&mut self) -> Keypair {
        let key = Keypair::new();
        self.svm.airdrop(&key.pubkey(), 100_000_000_000).expect("lamports for the key");
        key
    }

    /// The node of an authority, as the chain has it.
    #[must_use]
    pub fn node(&self, authority: &Keypair) -> Node {
        Node::parse(&self.data(&self.node_address(authority))).expect("a node")
    }

    /// Where the node of an authority is.
    #[must_use]
    pub fn node_address(&self, authority: &Keypair) -> Address {
        interface::node_address(&PROGRAM_ID, &self.rollup, &address(authority))
    }

    /// The call that registers a node: the admin pays, bond and all.
    #[must_use]
    pub fn registration(&self, authority: &Keypair, key: &ReceiptKey) -> Instruction {
        let (payer, authority) = (address(&self.admin), address(authority));
        let arguments = RegisterNode { payer, authority, registrar: None, receipt_key: *key };
        interface::register_node(&PROGRAM_ID, &self.rollup, &arguments)
    }

    /// Registers a node, paid for by the admin.
    ///
    /// # Errors
    /// How it failed.
    pub fn register(&mut self, authority: &Keypair, key: &ReceiptKey) -> Result<u64, Failure> {
        let (instruction, admin) = (self.registration(authority, key), self.admin.insecure_clone());
        self.send_all(&[instruction], &[&admin, authority])
    }

    /// Registers that many new nodes and gives their authorities.
    pub fn register_nodes(&mut self, count: u64) -> Vec<Keypair> {
        (0..count)
            .map(|number| {
                let authority = Keypair::new();
                self.register(&authority, &receipt_key(number)).expect("registered");
                authority
            })
            .collect()
    }

    /// Rotates a node's key; the admin pays the fee.
    ///
    /// # Errors
    /// How it failed.
    pub fn rotate(&mut self, authority: &Keypair, key: &ReceiptKey) -> Result<u64, Failure> {
        let instruction = interface::rotate_key(&PROGRAM_ID, &self.rollup, &address(authority), key);
        let admin = self.admin.insecure_clone();
        self.send_all(&[instruction], &[&admin, authority])
    }

    /// Deactivates a node; the admin pays the fee.
    ///
    /// # Errors
    /// How it failed.
    pub fn deactivate(&mut self, authority: &Keypair) -> Result<u64, Failure> {
        let instruction = interface::deactivate_node(&PROGRAM_ID, &self.rollup, &address(authority));
        let admin = self.admin.insecure_clone();
        self.send_all(&[instruction], &[&admin, authority])
    }

    /// Asks for a node's bond, on behalf of whoever paid it.
    ///
    /// # Errors
    /// How it failed.
    pub fn refund(&mut self, authority: &Keypair) -> Result<u64, Failure> {
        let payer = self.node(authority).payer;
        let instruction = interface::refund_bond(&PROGRAM_ID, &self.rollup, &address(authority), &payer);
        self.send_as_admin(&instruction)
    }

    /// The lamports at an address.
    #[must_use]
    pub fn lamports(&self, address: &Address) -> u64 {
        self.svm.get_account(&pubkey(*address)).map_or(0, |account| account.lamports)
    }

    /// Submits a batch that takes the queue up to `position`.
    ///
    /// # Errors
    /// How it failed.
    pub fn take(&mut self, position: u64) -> Result<u64, Failure> {
        let queue_to = self.queue().cursor_at(position).expect("the queue has got there");
        let header = BatchHeader { queue_to, ..self.next_header() };
        self.submit(&header)
    }

    /// Consumes the queue up to `position`: submits a batch that does, and settles all there is. Gives the compute units of
    /// the submission.
    ///
    /// # Errors
    /// How it failed.
    pub fn consume(&mut self, position: u64) -> Result<u64, Failure> {
        let units = self.take(position)?;
        self.settle_all();
        Ok(units)
    }
}
