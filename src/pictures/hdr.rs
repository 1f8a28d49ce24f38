//! Tone maps HDR (PQ and HLG) to sRGB. White is 203 nits, as in ITU-R BT.2408, so SDR content keeps its look; anything
//! brighter is clipped to white.

/// The brightness of white, in nits.
const WHITE: f32 = 203.0;
/// The peak brightness of PQ, in nits.
const PQ_PEAK: f32 = 10_000.0;
/// The peak brightness of the display that HLG is mastered on, in nits.
const HLG_PEAK: f32 = 1000.0;
/// Steps of the linearization table, fine enough that neighbours differ by less than a byte.
const STEPS: usize = 4096;
/// Steps of the table from light to sRGB, which is steepest near black.
const FINE_STEPS: usize = 1 << 15;

/// A conversion from coded HDR values to sRGB.
#[derive(Clone)]
pub(super) struct HdrToneMap {
    /// Linear light by coded value; white is 1.
    linear: Vec<f32>,
    /// sRGB by light.
    srgb: Vec<u8>,
    is_hlg: bool,
    /// From these primaries to those of sRGB.
    primaries: [[f32; 3]; 3],
}

impl HdrToneMap {
    /// By the code points of ITU-T H.273; `None` for those that are not HDR.
    pub(super) fn of(primaries: u8, transfer: u8) -> Option<Self> {
        let is_hlg = match transfer {
            16 => false,
            18 => true,
            _ => return None,
        };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let table = |steps: usize| (0..=steps).map(move |step| step as f32 / steps as f32);
        let linear =
            table(STEPS).map(|code| if is_hlg { hlg_to_linear(code) } else { pq_to_linear(code) }).collect();
        let srgb_table = table(FINE_STEPS).map(|light| byte(srgb(light))).collect();
        Some(Self { linear, srgb: srgb_table, is_hlg, primaries: primaries_to_srgb(primaries) })
    }

    pub(super) fn to_srgb(&self, coded: [f32; 3]) -> [u8; 3] {
        let mut light = coded.map(|code| look_up(&self.linear, code));
        if self.is_hlg {
            let [red, green, blue] = light;
            let luminance = 0.2627 * red + 0.678 * green + 0.0593 * blue;
            let gain = luminance.powf(0.2) * HLG_PEAK / WHITE;
            light = light.map(|part| part * gain);
        }
        let mixed = |[of_red, of_green, of_blue]: [f32; 3]| {
            of_red * light[0] + of_green * light[1] + of_blue * light[2]
        };
        self.primaries.map(|row| look_up(&self.srgb, mixed(row)))
    }

    /// The same for a pixel of 8 bits per channel.
    pub(super) fn bytes_to_srgb(&self, coded: [u8; 3]) -> [u8; 3] {
        self.to_srgb(coded.map(|part| f32::from(part) / 255.0))
    }
}

fn look_up<T: Copy + Default>(table: &[T], position: f32) -> T {
    #[expect(clippy::cast_precision_loss, reason = "a table is short")]
    let last = (table.len() - 1) as f32;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let index = (position.clamp(0.0, 1.0) * last + 0.5) as usize;
    table.get(index).copied().unwrap_or_default()
}

/// SMPTE ST 2084.
fn pq_to_linear(code: f32) -> f32 {
    const M1: f32 = 2610.0 / 16384.0;
    const M2: f32 = 2523.0 / 4096.0 * 128.0;
    const C1: f32 = 3424.0 / 4096.0;
    const C2: f32 = 2413.0 / 4096.0 * 32.0;
    const C3: f32 = 2392.0 / 4096.0 * 32.0;
    let power = code.powf(1.0 / M2);
    ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1) * PQ_PEAK / WHITE
}

/// ARIB STD-B67: scene light, with 1 as the maximum.
fn hlg_to_linear(code: f32) -> f32 {
    const A: f32 = 0.178_832_77;
    const B: f32 = 0.284_668_92;
    const C: f32 = 0.559_910_7;
    if code <= 0.5 { code * code / 3.0 } else { (((code - C) / A).exp() + B) / 12.0 }
}

fn srgb(light: f32) -> f32 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

/// From these primaries to those of sRGB.
fn primaries_to_srgb(primaries: u8) -> [[f32; 3]; 3] {
    match primaries {
        9 => [
            [1.660_491, -0.587_641, -0.072_85],
            [-0.124_55, 1.132_9, -0.008_349],
            [-0.018_151, -0.100_579, 1.118_73],
        ],
        11 | 12 => {
            [[1.224_94, -0.224_94, 0.0], [-0.042_057, 1.042_057, 0.0], [-0.019_638, -0.078_636, 1.098_274]]
        }
        _ => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

/// Rounded and clipped to a byte.
pub(super) fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let byte = (value * 255.0 + 0.5).clamp(0.0, 255.0) as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(transfer: u8, primaries: u8) -> HdrToneMap {
        HdrToneMap::of(primaries, transfer).expect("a wide range")
    }

    #[test]
    fn white_is_white_and_black_is_black() {
        for (transfer, white) in [(16, 0.5807), (18, 0.75)] {
            for primaries in [1, 9, 12] {
                let light = light(transfer, primaries);
                assert!(
                    light.to_srgb([white; 3]).iter().all(|channel| *channel >= 253),
                    "{transfer} {primaries}"
                );
                assert_eq!(light.to_srgb([0.0; 3]), [0; 3]);
                assert_eq!(light.to_srgb([1.0; 3]), [255; 3]);
            }
        }
    }

    #[test]
    fn a_middle_gray_stays_one() {
        // 18 % of white, 36.5 nits, is 118 in sRGB.
        let [red, green, blue] = light(16, 9).to_srgb([0.4109; 3]);
        assert!([red, green, blue].iter().all(|channel| channel.abs_diff(118) <= 3), "{red} {green} {blue}");
    }
}
