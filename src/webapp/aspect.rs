//! The shape of a tile in the grid. Pages have no inline styles, so the stylesheet has a class for each shape.

/// How much wider each shape is than the one before; an image is cropped by at most half of that.
const STEP: f64 = 1.05;
/// The class of a square.
const SQUARE: f64 = 28.0;
/// The class of the widest; the narrowest is 0.
const WIDEST: f64 = 56.0;

/// The class of a tile for an image of this width and height; a square if they are unknown.
#[must_use]
pub fn shape_class(width: Option<u32>, height: Option<u32>) -> String {
    let ratio = match (width, height) {
        (Some(width @ 1..), Some(height @ 1..)) => f64::from(width) / f64::from(height),
        (Some(_) | None, Some(_) | None) => 1.0,
    };
    let shape = (ratio.ln() / STEP.ln()).round() + SQUARE;
    format!("shape-{}", shape.clamp(0.0, WIDEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_its_class_in_the_stylesheet() {
        let styles = include_str!("pages/libraries/libraries.css");
        for (width, height) in [(1, 1), (3, 2), (2, 3), (16, 9), (1, 9), (9, 1), (0, 5), (u32::MAX, 1)] {
            let class = shape_class(Some(width), Some(height));
            let (_, rule) = styles.split_once(&format!(".{class} {{\n  --ratio: ")).unwrap();
            let ratio: f64 = rule.split(';').next().unwrap().parse().unwrap();
            let wanted = if width == 0 { 1.0 } else { f64::from(width) / f64::from(height) };
            let wanted = wanted.clamp(0.255, 3.92);
            assert!((ratio / wanted - 1.0).abs() < 0.026, "{width}x{height}: {class} is {ratio}");
        }
        assert_eq!(shape_class(None, Some(3)), "shape-28");
    }
}
