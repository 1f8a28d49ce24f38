//! What surrounds every page's own part: title, navigation, the signed-in member, messages. Each page's template has
//! one of these as `layout`.

use super::flash::Flash;
use super::theme::Theme;
use crate::core::access::Caller;
use crate::core::model::{self, Organization, Role};
use crate::webapp::request_context::RequestContext;

/// The frame of one page.
pub struct Layout {
    /// The page's title.
    pub title: String,
    /// Light or dark.
    pub theme: Theme,
    /// The token for its forms.
    pub csrf: String,
    /// Its own address, to come back to.
    pub here: String,
    /// The message about what was just done.
    pub flash: Option<Flash>,
    /// Who is signed in.
    pub member: Option<MemberSummary>,
    /// The organization that the page is about.
    pub organization: Option<CurrentOrganization>,
    /// The organizations that the member may go to.
    pub choices: Vec<Choice>,
    /// The part of the organization's pages that this one belongs to.
    pub section: NavSection,
    /// The pages above this one, from the top.
    pub crumbs: Vec<Crumb>,
}

/// Who is signed in, as the bar shows it.
pub struct MemberSummary {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

impl MemberSummary {
    /// The first letters of the first and the last word of the name.
    #[must_use]
    pub fn initials(&self) -> String {
        let mut words = self.name.split_whitespace().filter_map(|word| word.chars().next());
        let first = words.next();
        first.into_iter().chain(words.next_back()).collect()
    }
}

/// An organization that one can go to.
pub struct Choice {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The organization that a page is about.
pub struct CurrentOrganization {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether the member is an owner of it.
    pub is_owner: bool,
}

impl CurrentOrganization {
    /// The sections that the member's role may see.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let sections: &[NavSection] = if self.is_owner {
            &[NavSection::Libraries, NavSection::Overview, NavSection::Settings, NavSection::Documentation]
        } else {
            &[NavSection::Libraries, NavSection::Documentation]
        };
        sections.iter().map(|section| Link { section: *section, href: section.href(&self.slug) }).collect()
    }
}

/// A link of the navigation.
pub struct Link {
    /// Where it leads.
    pub section: NavSection,
    /// Its address.
    pub href: String,
}

/// A part of an organization's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NavSection {
    /// None of them.
    #[default]
    None,
    /// The libraries and what is in them.
    Libraries,
    /// What happens in the organization.
    Overview,
    /// Keys, people, the organization itself.
    Settings,
    /// The documentation, which is the same for everybody.
    Documentation,
}

impl NavSection {
    /// Its name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Libraries => "Libraries",
            Self::Overview => "Overview",
            Self::Settings => "Settings",
            Self::Documentation => "Docs",
        }
    }

    /// Its icon.
    #[must_use]
    pub const fn icon(self) -> &'static str {
        match self {
            Self::None => "layers",
            Self::Libraries => "images",
            Self::Overview => "activity",
            Self::Settings => "settings",
            Self::Documentation => "scroll-text",
        }
    }

    fn href(self, organization: &str) -> String {
        match self {
            Self::None | Self::Libraries => format!("/app/{organization}"),
            Self::Overview => format!("/app/{organization}/settings/overview"),
            Self::Settings => format!("/app/{organization}/settings"),
            Self::Documentation => "/docs".to_owned(),
        }
    }
}

/// A page above this one.
pub struct Crumb {
    /// What it is called.
    pub label: String,
    /// Its address.
    pub href: String,
}

impl Layout {
    /// The frame of a page for anyone.
    #[must_use]
    pub fn new(context: &RequestContext, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            theme: context.theme(),
            csrf: context.csrf(),
            here: context.address().to_string(),
            flash: context.flash().cloned(),
            member: None,
            organization: None,
            choices: Vec::new(),
            section: NavSection::default(),
            crumbs: Vec::new(),
        }
    }

    /// The frame for a signed-in member, with their organizations.
    pub(super) fn of(mut self, member: &model::Member, organizations: &[(Organization, Role)]) -> Self {
        self.member = Some(MemberSummary { name: member.name.clone(), email: member.email.clone() });
        let choice = |(organization, _): &(Organization, Role)| Choice {
            slug: organization.slug.to_string(),
            name: organization.name.clone(),
        };
        self.choices = organizations.iter().map(choice).collect();
        self
    }

    /// The frame of a page about an organization.
    #[must_use]
    pub fn within(mut self, caller: &Caller, section: NavSection) -> Self {
        let organization = caller.organization();
        self.organization = Some(CurrentOrganization {
            slug: organization.slug.to_string(),
            name: organization.name.clone(),
            is_owner: caller.role() == Some(Role::Owner),
        });
        self.section = section;
        self
    }

    /// Adds the page above this one; called once for each, from the top.
    #[must_use]
    pub fn under(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push(Crumb { label: label.into(), href: href.into() });
        self
    }
}
