use rasterd::core::Core;
use rasterd::core::access::LibraryPath;

fn attempt(core: &Core, path: &LibraryPath<'_>) {
    let _ = core.get_asset(path, "id");
}

fn main() {
    let _ = attempt;
}
