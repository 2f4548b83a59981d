//! Hexadecimal of digests.

/// Lower-case hexadecimal of `bytes`.
pub(super) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Reads `text`, twice as long as `bytes`, in either case; the error is the offset of a wrong character.
pub(super) fn decode(text: &[u8], bytes: &mut [u8]) -> Result<(), usize> {
    for (index, (pair, byte)) in text.chunks_exact(2).zip(bytes).enumerate() {
        let high = value(pair[0]).ok_or(index * 2)?;
        let low = value(pair[1]).ok_or(index * 2 + 1)?;
        *byte = high << 4 | low;
    }
    Ok(())
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
