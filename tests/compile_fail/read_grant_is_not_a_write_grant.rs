use rasterd::core::access::{Caller, LibraryPath, WriteGrant};

fn change(_: &WriteGrant) {}

fn attempt(caller: &Caller, path: &LibraryPath<'_>) {
    let grant = caller.read(path).unwrap();
    change(&grant);
}

fn main() {
    let _ = attempt;
}
