//! What a change of a book costs. `cargo bench --bench book`; see `src/bench/book.rs` for the question.

use surefoot::bench::{Span, book};

fn main() {
    println!("{}", book::book_update(Span::FULL));
    println!("{}", book::book_update_reference(Span::FULL));
    for row in [book::book_update_10k(Span::FULL)]
        .into_iter()
        .chain(book::book_update_8192_books(Span::FULL))
    {
        println!("{row}");
        row.reference.iter().for_each(|reference| println!("{reference}"));
    }
}
