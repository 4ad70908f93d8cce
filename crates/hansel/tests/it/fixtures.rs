//! Bytes that cases put into buckets; the same arguments give the same bytes.

use s3double::FaultAction;

/// A CSV table of mixed kinds; the same rows and seed give the same text.
pub(crate) fn table(rows: usize, seed: u64) -> String {
    let mut text = String::from("id,day,shop,amount,items,paid\n");
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for row in 0..rows {
        let mut draw = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) % most
        };
        let shop = ["north", "south", "east"][draw(3) as usize];
        let items = 1 + draw(9);
        let amount = items as f64 * (3.5 + draw(400) as f64 / 100.0);
        let paid = if draw(10) == 0 {
            ""
        } else if draw(4) == 0 {
            "no"
        } else {
            "yes"
        };
        text.push_str(&format!(
            "{},2024-{:02}-{:02},{shop},{amount:.2},{items},{paid}\n",
            row + 1,
            1 + draw(12),
            1 + draw(28)
        ));
    }
    text
}

/// Bytes that do not repeat.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// Undoes the form encoding of listings.
pub(crate) fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits: String = [bytes.next(), bytes.next()].into_iter().flatten().map(char::from).collect();
                decoded.push(u8::from_str_radix(&digits, 16).expect("a listing is well encoded"));
            }
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).expect("keys are UTF-8")
}

/// Bytes from hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, String> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| "hex".to_string()))
        .collect()
}

/// The cells of these columns of a plain CSV, row by row.
pub(crate) fn pick(text: &str, columns: &[&str]) -> Vec<String> {
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let header = rows.next().unwrap_or_default();
    let places: Vec<usize> = columns.iter().filter_map(|name| header.iter().position(|own| own == name)).collect();
    rows.map(|row| places.iter().map(|&at| row.get(at).copied().unwrap_or("")).collect::<Vec<&str>>().join(","))
        .collect()
}

/// How a written CSV is spelt: mark, line ends, header, and what stands in its last column.
pub(crate) fn spelt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let bare = text.trim_start_matches('\u{feff}');
    let rows: Vec<&str> = bare.split("\r\n").collect();
    let last: Vec<&str> =
        rows[1..].iter().filter_map(|row| row.rsplit(';').next()).filter(|cell| !cell.is_empty()).collect();
    let whole = last.iter().all(|cell| cell.bytes().all(|byte| byte.is_ascii_digit()));
    format!(
        "mark: {}\nheader: {}\nends with a line end: {}\nlast column whole numbers: {whole}",
        text.len() != bare.len(),
        rows[0],
        bare.ends_with("\r\n")
    )
}

/// What a double is to do wrong, as case files say it.
pub(crate) fn fault(words: &[&str]) -> Result<FaultAction, String> {
    let number = |text: &str| text.parse::<usize>().map_err(|_| "a number".to_string());
    Ok(match words {
        ["status", status, code] => FaultAction::Status(status.parse().map_err(|_| "a status")?, (*code).into()),
        ["reset"] => FaultAction::Reset,
        ["reset-mid-body", bytes] => FaultAction::ResetMidBody(number(bytes)?),
        ["truncate", bytes] => FaultAction::Truncate(number(bytes)?),
        ["corrupt"] => FaultAction::Corrupt,
        ["drop-response"] => FaultAction::DropResponse,
        ["error-in-200"] => FaultAction::ErrorIn200,
        ["slow", ms] => FaultAction::Slow(ms.parse().map_err(|_| "milliseconds")?),
        _ => return Err("no such fault".into()),
    })
}
