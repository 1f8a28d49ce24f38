//! Decodes fax compression: ITU-T T.4 (Group 3, one- or two-dimensional) and T.6 (Group 4). Rows come out packed, one bit
//! per pixel, the highest first, 1 for black. Only the code tables are from a library.

use std::io::{self, BufReader, Bytes, Read};
use std::iter::{Chain, Take};

use ::fax::maps::{Mode as Code, black, mode, white};
use ::fax::{BitReader, ByteReader};

/// The coding scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One-dimensional rows, each starting at a byte, without end-of-line codes.
    ModifiedHuffman,
    /// Rows with end-of-line codes.
    Group3 {
        /// Whether rows may be coded relative to the row above.
        is_two_dimensional: bool,
    },
    /// Every row is coded relative to the row above.
    Group4,
}

/// The input with a few zeros appended, because a code is looked up by more bits than it may have.
type Input<R> = ByteReader<Chain<Bytes<BufReader<R>>, Take<std::iter::RepeatWith<fn() -> io::Result<u8>>>>>;

pub(super) struct Fax<R: Read> {
    bits: io::Result<Input<R>>,
    width: u32,
    mode: Mode,
    /// The positions of colour changes in the row above and in this row: to black, to white, to black, …
    above: Vec<u32>,
    changes: Vec<u32>,
    row: Vec<u8>,
    taken: usize,
    has_ended: bool,
}

/// The result of decoding a row.
enum Row {
    Whole,
    /// There are no more rows.
    End,
    /// It has an invalid code.
    Broken,
}

impl<R: Read> Fax<R> {
    pub(super) fn new(packed: BufReader<R>, width: u32, mode: Mode) -> Self {
        let zero: fn() -> io::Result<u8> = || Ok(0);
        let padded = packed.bytes().chain(std::iter::repeat_with(zero).take(4));
        Self {
            bits: ByteReader::new(padded),
            width,
            mode,
            above: Vec::new(),
            changes: Vec::new(),
            row: Vec::new(),
            taken: 0,
            has_ended: false,
        }
    }

    /// Decodes a row. After the end, all rows are white.
    fn advance(&mut self) -> io::Result<()> {
        let bits = self.bits.as_mut().map_err(|error| io::Error::from(error.kind()))?;
        self.changes.clear();
        let line = Line { width: self.width, above: &self.above, changes: &mut self.changes };
        let row = match self.mode {
            _ if self.has_ended => Row::End,
            Mode::ModifiedHuffman => {
                let row = line.in_one_dimension(bits);
                let rest = bits.bits_to_byte_boundary();
                bits.consume(rest)?;
                row
            }
            Mode::Group3 { is_two_dimensional } => line.of_group_3(bits, is_two_dimensional)?,
            Mode::Group4 => line.in_two_dimensions(bits),
        };
        match (row, self.mode) {
            (Row::Whole, _) => {}
            (Row::End, _) => {
                self.has_ended = true;
                self.changes.clear();
            }
            // The rest of the row is white, and the next row starts at the next end-of-line code.
            (Row::Broken, Mode::Group3 { .. }) => skip_to_end_of_line(bits)?,
            (Row::Broken, Mode::ModifiedHuffman | Mode::Group4) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a code that does not exist"));
            }
        }
        self.draw();
        std::mem::swap(&mut self.above, &mut self.changes);
        Ok(())
    }

    fn draw(&mut self) {
        self.row.clear();
        self.row.resize((self.width as usize).div_ceil(8), 0);
        for run in self.changes.chunks(2) {
            let (start, end) = (run.first().copied().unwrap_or(0), run.get(1).copied().unwrap_or(self.width));
            for position in start..end.min(self.width) {
                if let Some(byte) = self.row.get_mut(position as usize / 8) {
                    *byte |= 0x80 >> (position % 8);
                }
            }
        }
        self.taken = 0;
    }
}

impl<R: Read> Read for Fax<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.row.len() {
            self.advance()?;
        }
        let rest = self.row.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (target, byte) in buffer.iter_mut().zip(rest) {
            *target = *byte;
        }
        self.taken += count;
        Ok(count)
    }
}

/// A row that is being decoded.
struct Line<'a> {
    width: u32,
    above: &'a [u32],
    changes: &'a mut Vec<u32>,
}

impl Line<'_> {
    fn of_group_3(
        self,
        bits: &mut impl BitReader<Error = io::Error>,
        is_two_dimensional: bool,
    ) -> io::Result<Row> {
        let mut ends = 0;
        let mut is_one_dimensional = true;
        while take_end_of_line(bits)? {
            ends += 1;
            if is_two_dimensional {
                is_one_dimensional = bits.peek(1) == Some(1);
                bits.consume(1)?;
            }
            // Several end-of-line codes in a row end the page.
            if ends > 1 {
                return Ok(Row::End);
            }
        }
        if bits.peek(1).is_none() {
            return Ok(Row::End);
        }
        Ok(if is_one_dimensional { self.in_one_dimension(bits) } else { self.in_two_dimensions(bits) })
    }

    fn in_one_dimension(self, bits: &mut impl BitReader) -> Row {
        let (mut at, mut is_black) = (0, false);
        while at < self.width {
            let Some(length) = run(bits, is_black) else {
                return if bits.peek(1).is_none() { Row::End } else { Row::Broken };
            };
            at = self.width.min(at.saturating_add(length));
            self.changes.push(at);
            is_black = !is_black;
        }
        Row::Whole
    }

    fn in_two_dimensions(self, bits: &mut impl BitReader) -> Row {
        let (mut at, mut is_black, mut near) = (None, false, 0);
        while at.is_none_or(|at| at < self.width) {
            let Some(code) = mode::decode(bits) else { return Row::Broken };
            near = self.next_above(near, at, is_black);
            let above = |number: usize| self.above.get(number).copied().unwrap_or(self.width);
            match code {
                Code::Pass => at = Some(above(near + 1)),
                Code::Vertical(by) => {
                    let change = i64::from(above(near)) + i64::from(by);
                    let least = i64::from(at.unwrap_or(0));
                    let Some(change) = u32::try_from(change)
                        .ok()
                        .filter(|change| i64::from(*change) >= least && *change <= self.width)
                    else {
                        return Row::Broken;
                    };
                    self.changes.push(change);
                    at = Some(change);
                    is_black = !is_black;
                }
                Code::Horizontal => {
                    for colour in [is_black, !is_black] {
                        let Some(length) = run(bits, colour) else { return Row::Broken };
                        let change = self.width.min(at.unwrap_or(0).saturating_add(length));
                        self.changes.push(change);
                        at = Some(change);
                    }
                }
                Code::Extension => return Row::Broken,
                Code::EOF => return Row::End,
            }
        }
        Row::Whole
    }

    /// The first change in the row above that is right of a position and to the opposite colour.
    fn next_above(&self, near: usize, at: Option<u32>, is_black: bool) -> usize {
        let is_right = |change: u32| at.is_none_or(|at| change > at);
        let mut number = near.min(self.above.len());
        while number > 0 && self.above.get(number - 1).is_some_and(|change| is_right(*change)) {
            number -= 1;
        }
        while self.above.get(number).is_some_and(|change| !is_right(*change)) {
            number += 1;
        }
        // Changes to black have even indexes.
        if (number % 2 == 1) == is_black { number } else { number + 1 }
    }
}

/// The length of a run. Long ones have several codes.
fn run(bits: &mut impl BitReader, is_black: bool) -> Option<u32> {
    let mut length = 0u32;
    loop {
        let part = if is_black { black::decode(bits) } else { white::decode(bits) }?;
        length = length.saturating_add(part.into());
        if part < 64 {
            return Some(length);
        }
    }
}

/// Consumes an end-of-line code if it comes next, with the zeros before it.
fn take_end_of_line(bits: &mut impl BitReader<Error = io::Error>) -> io::Result<bool> {
    if bits.peek(11) != Some(0) {
        return Ok(false);
    }
    loop {
        match bits.peek(1) {
            Some(0) => bits.consume(1)?,
            Some(_) => {
                bits.consume(1)?;
                return Ok(true);
            }
            None => return Ok(false),
        }
    }
}

fn skip_to_end_of_line(bits: &mut impl BitReader<Error = io::Error>) -> io::Result<()> {
    while bits.peek(11).is_some_and(|next| next != 0) {
        bits.consume(1)?;
    }
    Ok(())
}
