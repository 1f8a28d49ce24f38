use rasterd::core::access::ReadGrant;
use rasterd::core::model::id::{LibraryId, OrganizationId};
use rasterd::core::model::name::Slug;

fn main() {
    let slug = Slug::parse("photos").unwrap();
    let _ = ReadGrant { library: LibraryId(1), slug, organization: OrganizationId(1) };
}
