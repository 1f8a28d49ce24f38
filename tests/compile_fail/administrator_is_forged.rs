use rasterd::core::access::Administrator;

fn main() {
    let _ = Administrator::local();
}
