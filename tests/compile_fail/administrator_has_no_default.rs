use rasterd::core::access::Administrator;
use rasterd::core::access::grant::AdministratorReach;

fn main() {
    let _ = Administrator::default();
    let _ = AdministratorReach::Server;
}
