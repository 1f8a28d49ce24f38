use rasterd::core::Core;
use rasterd::core::access::Caller;
use rasterd::core::model::api_key::KeyDigest;

fn attempt(core: &Core) -> Caller {
    Caller::find(core.store().snapshot().unwrap(), KeyDigest([0; 32]), 0).unwrap()
}

fn main() {
    let _ = attempt;
}
