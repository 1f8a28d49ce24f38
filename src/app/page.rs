//! Paging: which part of a list is asked for. 1-based pages; absent and 0 both mean the first.

/// A page of a list, as an offset and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many entries come before it.
    pub offset: usize,
    /// How many entries it has at most.
    pub size: usize,
}

impl Page {
    /// The page that a client asked for: `size` absent or 0 is `default`, and above `largest` is clamped.
    #[must_use]
    pub fn new(page: Option<u64>, size: Option<u64>, default: usize, largest: usize) -> Self {
        let size = match size {
            None | Some(0) => default.min(largest),
            Some(size) => usize::try_from(size).unwrap_or(largest).min(largest),
        };
        let before = page.unwrap_or(0).saturating_sub(1);
        let offset = usize::try_from(before).unwrap_or(usize::MAX).saturating_mul(size);
        Self { offset, size }
    }

    /// How many entries of a list matter up to the end of this page.
    #[must_use]
    pub fn end(self) -> usize {
        self.offset.saturating_add(self.size)
    }

    /// Cuts this page out of a whole list.
    pub fn cut<T>(self, list: impl IntoIterator<Item = T>) -> Vec<T> {
        list.into_iter().skip(self.offset).take(self.size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_zero_and_one_are_the_first_page() {
        for page in [None, Some(0), Some(1)] {
            assert_eq!(Page::new(page, None, 50, 500), Page { offset: 0, size: 50 });
        }
        assert_eq!(Page::new(Some(3), Some(20), 50, 500), Page { offset: 40, size: 20 });
    }

    #[test]
    fn sizes_are_clamped_and_far_pages_do_not_overflow() {
        assert_eq!(Page::new(None, Some(9999), 50, 500).size, 500);
        assert_eq!(Page::new(Some(u64::MAX), Some(500), 50, 500).end(), usize::MAX);
    }
}
