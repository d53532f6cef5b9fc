//! The page of results: written by hand but for the blocks between marks, which a run fills.

use anyhow::{Context as _, Result};

/// `page` with what is between the marks of `block` replaced by `text`.
///
/// # Errors
/// When the page has no such marks.
pub(crate) fn with_block(page: &str, block: &str, text: &str) -> Result<String> {
    let (start, end) = (format!("<!-- measured: {block} -->\n"), format!("<!-- end of {block} -->"));
    let found = page.split_once(&start).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{start}\n{}\n\n{end}{after}", text.trim()))
    });
    found.with_context(|| format!("the page has no place between {:?} and {end:?}", start.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "by hand\n<!-- measured: a -->\nold\n<!-- end of a -->\nmore by hand\n<!-- measured: b -->\n<!-- end of b -->\n";

    #[test]
    fn only_the_block_changes() {
        let page = with_block(PAGE, "a", "new\n").expect("marks");
        assert_eq!(page, PAGE.replace("old", "\nnew\n"));
        assert_eq!(with_block(&page, "a", "new").expect("marks"), page);
        let page = with_block(&page, "b", "other").expect("marks");
        assert!(page.contains("\nnew\n") && page.contains("\nother\n"), "{page}");
    }

    #[test]
    fn a_page_without_the_block_is_refused() {
        assert!(with_block(PAGE, "c", "new").is_err());
    }
}
