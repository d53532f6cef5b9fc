//! Plots as SVG: lines with marks over one or two logarithmic axes, and a legend. No more than the page shows.

use super::figures::number;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
/// The field of the curves, within the picture.
const LEFT: f64 = 74.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 362.0;
/// Told apart also by those who see few colours.
const COLOURS: [&str; 11] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555", "#b8a000", "#7a5195",
    "#8b4513", "#1b4f4f",
];
/// Of a dashed line.
const DASHES: &str = " stroke-dasharray=\"6 4\"";

/// An axis.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// What it shows.
    pub label: &'static str,
    /// By powers of ten; otherwise from zero.
    pub logarithmic: bool,
}

/// A curve.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
    /// What others are held against is dashed.
    pub dashed: bool,
}

/// A picture.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    pub title: &'static str,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
}

/// A range of values on a range of the picture.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Scale {
    /// Wide enough for all values, from one round number to another.
    fn over(values: &[f64], axis: &Axis, from: f64, to: f64) -> Self {
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let least = values.iter().copied().fold(most, f64::min);
        let (low, high) = if axis.logarithmic {
            let high = most.log10().ceil();
            (least.log10().floor().min(high - 1.0), high)
        } else {
            (0.0, round_up(most * 1.05))
        };
        Self { low, high, from, to, logarithmic: axis.logarithmic }
    }

    /// Where a value goes in the picture.
    fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Values to name.
    fn ticks(&self) -> Vec<f64> {
        if !self.logarithmic {
            return (0..=5).map(|step| self.high * f64::from(step) / 5.0).collect();
        }
        let mut ticks = Vec::new();
        let mut power = self.low;
        while power <= self.high {
            ticks.push(10_f64.powf(power));
            power += 1.0;
        }
        ticks
    }
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| step * power >= value);
    step.unwrap_or(10.0) * power
}

impl Plot {
    /// The picture. Points that are no numbers are left out.
    pub(crate) fn svg(&self) -> String {
        let curves: Vec<(&Curve, Vec<(f64, f64)>)> =
            self.curves.iter().map(|curve| (curve, drawn(curve))).collect();
        let values = |coordinate: fn(&(f64, f64)) -> f64| -> Vec<f64> {
            curves.iter().flat_map(|(_, points)| points.iter().map(coordinate)).collect()
        };
        let x = Scale::over(&values(|point| point.0), &self.x, LEFT, RIGHT);
        let y = Scale::over(&values(|point| point.1), &self.y, BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\" role=\"img\" aria-label=\"{title}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n",
            title = escaped(self.title)
        );
        for tick in x.ticks() {
            let place = x.place(tick);
            svg.push_str(&line((place, TOP), (place, BOTTOM)));
            svg.push_str(&label(place, BOTTOM + 18.0, "middle", &short(tick)));
        }
        for tick in y.ticks() {
            let place = y.place(tick);
            svg.push_str(&line((LEFT, place), (RIGHT, place)));
            svg.push_str(&label(LEFT - 8.0, place + 4.0, "end", &short(tick)));
        }
        svg.push_str(&label((LEFT + RIGHT) / 2.0, BOTTOM + 42.0, "middle", self.x.label));
        svg.push_str(&format!(
            "<text transform=\"translate(18 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            (TOP + BOTTOM) / 2.0,
            escaped(self.y.label)
        ));
        for ((place, (curve, points)), colour) in curves.iter().enumerate().zip(COLOURS.iter().cycle()) {
            let dashes = if curve.dashed { DASHES } else { "" };
            let places: Vec<(f64, f64)> =
                points.iter().map(|point| (x.place(point.0), y.place(point.1))).collect();
            let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            svg.push_str(&format!(
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n",
                path.join(" ")
            ));
            for (x, y) in places {
                svg.push_str(&format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>\n"));
            }
            let height = TOP + 8.0 + 22.0 * place as f64;
            svg.push_str(&format!(
                "<line x1=\"{:.1}\" y1=\"{height:.1}\" x2=\"{:.1}\" y2=\"{height:.1}\" stroke=\"{colour}\" \
                 stroke-width=\"2\"{dashes}/>\n",
                RIGHT + 18.0,
                RIGHT + 44.0
            ));
            svg.push_str(&label(RIGHT + 50.0, height + 4.0, "start", &curve.name));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn drawn(curve: &Curve) -> Vec<(f64, f64)> {
    let is_drawn =
        |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite() && point.0 > 0.0 && point.1 > 0.0;
    curve.points.iter().filter(is_drawn).copied().collect()
}

fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>\n")
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n", escaped(text))
}

/// A value on an axis: without decimals that say nothing.
fn short(value: f64) -> String {
    let text = number(value);
    let bare = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    bare.to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(y_logarithmic: bool) -> Plot {
        let curve = |name: &str, points: &[(f64, f64)]| Curve {
            name: name.to_owned(),
            points: points.to_vec(),
            dashed: name == "b",
        };
        Plot {
            title: "Appends & <clients>",
            x: Axis { label: "clients", logarithmic: true },
            y: Axis { label: "a second", logarithmic: y_logarithmic },
            curves: vec![
                curve("a", &[(1.0, 10.0), (10.0, 100.0), (100.0, 1000.0)]),
                curve("b", &[(1.0, 500.0), (10.0, f64::NAN)]),
            ],
        }
    }

    #[test]
    fn points_go_where_their_values_are() {
        let svg = plot(true).svg();
        // Both axes span two decades, so the middle value is in the middle of the field.
        let middle = format!("{:.1},{:.1}", (LEFT + RIGHT) / 2.0, (TOP + BOTTOM) / 2.0);
        let path = format!("points=\"{LEFT:.1},{BOTTOM:.1} {middle} {RIGHT:.1},{TOP:.1}\"");
        assert!(svg.contains(&path), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 4, "what is no number has no mark");
        assert_eq!(svg.matches(DASHES).count(), 2, "one curve and its line in the legend");
        assert!(svg.contains("Appends &amp; &lt;clients>") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn an_axis_that_is_not_logarithmic_begins_at_zero() {
        let svg = plot(false).svg();
        assert!(svg.contains(&label(LEFT - 8.0, BOTTOM + 4.0, "end", "0")), "{svg}");
        assert!(svg.contains(&label(LEFT - 8.0, TOP + 4.0, "end", "2,000")), "{svg}");
    }

    #[test]
    fn a_plot_of_nothing_is_a_picture_all_the_same() {
        let svg = Plot { curves: Vec::new(), ..plot(true) }.svg();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn round_numbers_are_round() {
        let rounded = [0.9, 1.0, 1.2, 2.2, 3.0, 7.0, 480.0].map(round_up);
        let wanted = [1.0, 1.0, 2.0, 2.5, 5.0, 10.0, 500.0];
        assert!(rounded.iter().zip(wanted).all(|(got, want)| (got - want).abs() < 1e-9), "{rounded:?}");
    }
}
