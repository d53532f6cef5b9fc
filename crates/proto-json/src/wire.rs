//! The protobuf wire format: varints, tags, fields.

/// How a field's bytes are delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireType {
    Varint,
    Fixed64,
    Bytes,
    Fixed32,
}

impl WireType {
    fn number(self) -> u32 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::Bytes => 2,
            Self::Fixed32 => 5,
        }
    }
}

/// A field as it stands in the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawField<'w> {
    pub(crate) number: u32,
    pub(crate) value: RawValue<'w>,
    /// Tag and value as they stand.
    pub(crate) whole: &'w [u8],
}

/// A value as it stands in the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RawValue<'w> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'w [u8]),
    Fixed32(u32),
}

/// The bytes end early, or make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Walks the fields of a message. Groups, which proto3 does not have, are malformed.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'w> {
    rest: &'w [u8],
}

impl<'w> Fields<'w> {
    pub(crate) fn of(wire: &'w [u8]) -> Self {
        Self { rest: wire }
    }

    fn read(&mut self) -> Result<RawField<'w>, Malformed> {
        let start = self.rest;
        let tag = u32::try_from(read_varint(&mut self.rest)?).map_err(|_| Malformed)?;
        let number = tag >> 3;
        if number == 0 {
            return Err(Malformed);
        }
        let value = match tag & 7 {
            0 => RawValue::Varint(read_varint(&mut self.rest)?),
            1 => RawValue::Fixed64(u64::from_le_bytes(read_array(&mut self.rest)?)),
            2 => RawValue::Bytes(read_delimited(&mut self.rest)?),
            5 => RawValue::Fixed32(u32::from_le_bytes(read_array(&mut self.rest)?)),
            _ => return Err(Malformed),
        };
        let length = start.len() - self.rest.len();
        let whole = start.get(..length).ok_or(Malformed)?;
        Ok(RawField { number, value, whole })
    }
}

impl<'w> Iterator for Fields<'w> {
    type Item = Result<RawField<'w>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

pub(crate) fn read_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(Malformed)?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Err(Malformed);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

pub(crate) fn read_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (array, after) = rest.split_first_chunk::<N>().ok_or(Malformed)?;
    *rest = after;
    Ok(*array)
}

fn read_delimited<'w>(rest: &mut &'w [u8]) -> Result<&'w [u8], Malformed> {
    let length = usize::try_from(read_varint(rest)?).map_err(|_| Malformed)?;
    let (bytes, after) = rest.split_at_checked(length).ok_or(Malformed)?;
    *rest = after;
    Ok(bytes)
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: WireType) {
    put_varint(out, u64::from(number << 3 | wire_type.number()));
}

/// Writes a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_tag(out, number, WireType::Bytes);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes a length-delimited field whose content `inner` appends; its length is put in front afterwards.
pub(crate) fn put_nested<E>(
    out: &mut Vec<u8>,
    number: u32,
    inner: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    put_tag(out, number, WireType::Bytes);
    let start = out.len();
    // Most messages are short: one byte for the length, more are made room for when needed.
    out.push(0);
    inner(out)?;
    let length = out.len() - start - 1;
    let mut prefix = Vec::new();
    if let (Ok(short @ 0..0x80), Some(place)) = (u8::try_from(length), out.get_mut(start)) {
        *place = short;
    } else {
        put_varint(&mut prefix, length as u64);
        out.splice(start..=start, prefix);
    }
    Ok(())
}

pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
