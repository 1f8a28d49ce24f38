use rasterd::core::access::{ReadGrant, WriteGrant};

fn promote(read: ReadGrant, other: &WriteGrant) -> WriteGrant {
    WriteGrant { read, ..other.clone() }
}

fn main() {
    let _ = promote;
}
