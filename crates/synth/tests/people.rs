//! A table of people, seen through the public door: what is made up looks like what was there, agrees within a row, and is
//! no one's of the training table.

use std::collections::{BTreeMap, BTreeSet};

use synth::{Ask, Generator, MODELS, Params, load};
use table::{Column, Spelling, Table, Values};

/// Numbers for tests: a linear congruential generator, so that tests need no dependency.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn one<'a>(&mut self, of: &'a str) -> &'a str {
        let count = of.split_whitespace().count();
        of.split_whitespace().nth(self.roll(count)).expect("below the count")
    }
}

const FIRST: &str = "Mary Anna Emma Elizabeth Margaret Ruth Florence Ethel Clara Helen Alice Bertha Annie Grace Edith Mildred Rose \
    Nellie Lillian Lena Ella Julia Ada Laura Martha Minnie Louise Agnes Pearl Myrtle Eva Frances Hazel Lucy Irene Sarah Cora \
    Daisy Mabel Josephine Katherine Mattie Viola Effie Maud Nora Ida Blanche Gertrude Carrie John William James Charles George \
    Frank Joseph Thomas Henry Robert Edward Harry Walter Arthur Fred Albert Samuel David Louis Joe Charlie Clarence Richard \
    Andrew Daniel Ernest Will Jesse Oscar Lewis Peter Benjamin Frederick Willie Alfred Sam Roy Herbert Jacob Tom Elmer Carl Lee \
    Howard Martin Michael Bert Herman Jim Francis Harvey Earl Eugene Ralph Ed Claude Edwin Ben Charley Paul Edgar Isaac Otto \
    Luther Lawrence Ira Patrick Guy Oliver Theodore Hugh Clyde Alexander August Floyd Homer Jack Leonard Horace Marion Philip";
const LAST: &str = "Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Anderson Taylor Moore Jackson Martin Thompson White \
    Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall \
    Rivera Campbell Mitchell Carter Roberts Phillips Evans Turner Parker Collins Edwards Stewart Morris Murphy Cook Rogers \
    Morgan Cooper Peterson Bailey Reed Kelly Howard Cox Ward Richardson Watson Brooks Wood James Bennett Gray Hughes Price \
    Myers Long Foster Sanders Ross Morales Powell Sullivan Russell Ortiz Jenkins Perry Butler Barnes Fisher Henderson Coleman";

fn texts(name: &str, cells: &[String]) -> Column {
    let words: Vec<String> = cells.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let code = |cell: &String| Some(words.binary_search(cell).expect("collected above") as i32);
    Column::texts(name, cells.iter().map(code).collect(), words.clone(), Spelling::plain())
}

/// A surname of many: most are held by one or two of the people.
fn surname(dice: &mut Dice) -> String {
    let (a, b) =
        (dice.one(LAST).to_string(), dice.one("son sen man well ley by ford ham wick stone field worth brook gate"));
    if dice.roll(4) == 0 { a } else { format!("{}{b}", &a[..a.len().min(5)]) }
}

fn comment(dice: &mut Dice) -> String {
    let who = dice.one("customer client buyer user caller visitor member");
    let did = dice.one("asked called wrote complained inquired reported");
    let what = dice.one("delivery invoice refund order parcel account payment password contract");
    let mut text =
        format!("{} {did} about the {what}", ["The", "A", "This", "Our"][dice.roll(4)].to_string() + " " + who);
    if dice.roll(2) == 0 {
        text += &format!(
            ", which was {} {}",
            dice.one("late wrong missing damaged lost"),
            dice.one("again today yesterday twice")
        );
    }
    text += ".";
    if dice.roll(3) > 0 {
        text += &format!(
            " {} {} {} {} days.",
            dice.one("We They Support Sales"),
            dice.one("replied answered promised"),
            dice.one("within after in"),
            1 + dice.roll(30)
        );
    }
    text
}

/// Columns: first, last, name, mail, phone, ssn, uuid, ip, comment, city, age.
fn people(rows: usize) -> Table {
    let mut dice = Dice(3);
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); 10];
    let mut ages = Vec::new();
    let mut mails = BTreeSet::new();
    while ages.len() < rows {
        let (first, last) = (dice.one(FIRST).to_string(), surname(&mut dice));
        let (f, l) = (first.to_lowercase(), last.to_lowercase());
        let local = match dice.roll(4) {
            0 => format!("{}{l}", &f[..1]),
            1 => format!("{f}{}", 10 + dice.roll(90)),
            _ => format!("{f}.{l}"),
        };
        let host = match dice.roll(3) {
            0 => format!("{}{}.org", dice.one(LAST).to_lowercase(), dice.roll(100_000)),
            1 => "gmail.com".to_string(),
            _ => "yahoo.com".to_string(),
        };
        let mail = format!("{local}@{host}");
        if !mails.insert(mail.clone()) {
            continue;
        }
        let hex = |dice: &mut Dice, count: usize| {
            (0..count).map(|_| b"0123456789abcdef"[dice.roll(16)] as char).collect::<String>()
        };
        let uuid = format!(
            "{}-{}-4{}-{}{}-{}",
            hex(&mut dice, 8),
            hex(&mut dice, 4),
            hex(&mut dice, 3),
            ["8", "9", "a", "b"][dice.roll(4)],
            hex(&mut dice, 3),
            hex(&mut dice, 12)
        );
        let row = [
            first.clone(),
            last.clone(),
            format!("{first} {last}"),
            mail,
            format!("({}) {:03}-{:04}", 200 + dice.roll(780), 200 + dice.roll(800), dice.roll(10_000)),
            format!("{:03}-{:02}-{:04}", 100 + dice.roll(560), 1 + dice.roll(99), 1 + dice.roll(9999)),
            uuid,
            format!("10.{}.{}.{}", dice.roll(256), dice.roll(256), 1 + dice.roll(254)),
            comment(&mut dice),
            dice.one("Kiel Ulm Bonn Essen").to_string(),
        ];
        cells.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
        ages.push(Some(18 + dice.roll(60) as i64));
    }
    let names = ["first", "last", "name", "mail", "phone", "ssn", "uuid", "ip", "comment", "city"];
    let mut columns: Vec<Column> = names.iter().zip(&cells).map(|(name, cells)| texts(name, cells)).collect();
    columns.push(Column::ints("age", ages, Spelling::plain()));
    Table::new(columns).expect("columns of one length")
}

fn fitted(table: &Table) -> Box<dyn Generator> {
    let recipe =
        (MODELS[0].recipe)(&Params::default()).unwrap_or_else(|bad| panic!("the empty config is taken: {bad:?}"));
    recipe.fit(table, None, 11, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"))
}

fn column(table: &Table, at: usize) -> Vec<String> {
    let Values::Text(values) = table.values(at) else { panic!("column {at} is text") };
    let words = arrow_array::cast::AsArray::as_string::<i32>(values.values().as_ref());
    (0..table.rows()).map(|row| values.key(row).map(|key| words.value(key).to_string()).unwrap_or_default()).collect()
}

/// Whether the text is of the mask: `9` a digit, `h` a hexadecimal digit, others themselves.
fn masked(text: &str, mask: &str) -> bool {
    text.len() == mask.len()
        && text.bytes().zip(mask.bytes()).all(|(byte, sign)| match sign {
            b'9' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase(),
            sign => byte == sign,
        })
}

#[test]
fn what_is_made_up_is_new_unique_and_of_the_same_form() {
    let table = people(2000);
    let drawn = fitted(&table).sample(&Ask::all(10_000, 2));
    for at in [1, 2, 3, 4, 5, 6, 7, 8] {
        let known: BTreeSet<String> = column(&table, at).into_iter().collect();
        let copied: Vec<String> = column(&drawn, at).into_iter().filter(|cell| known.contains(cell)).collect();
        assert!(copied.is_empty(), "column {at}: {:?}", &copied[..copied.len().min(5)]);
    }
    for at in [3, 5, 6] {
        let different: BTreeSet<String> = column(&drawn, at).into_iter().collect();
        assert_eq!(different.len(), drawn.rows(), "column {at} stays unique");
    }
    let check = |at: usize, right: &dyn Fn(&str) -> bool| {
        let wrong: Vec<String> = column(&drawn, at).into_iter().filter(|cell| !right(cell)).collect();
        assert!(wrong.is_empty(), "column {at}: {:?}", &wrong[..wrong.len().min(5)]);
    };
    let word = |text: &str| {
        text.len() > 1 && text.chars().all(char::is_alphabetic) && text.chars().next().is_some_and(char::is_uppercase)
    };
    check(0, &word);
    check(1, &word);
    check(4, &|cell| masked(cell, "(999) 999-9999"));
    check(5, &|cell| {
        masked(cell, "999-99-9999") && !cell.starts_with("000") && !cell.starts_with("666") && !cell.starts_with('9')
    });
    check(6, &|cell| masked(cell, "hhhhhhhh-hhhh-4hhh-hhhh-hhhhhhhhhhhh") && "89ab".contains(&cell[19..20]));
    check(7, &|cell| cell.starts_with("10.") && cell.parse::<std::net::Ipv4Addr>().is_ok());
    let local = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.')
    };
    check(3, &|cell| cell.split_once('@').is_some_and(|(name, host)| local(name) && host.contains('.')));
}

#[test]
fn names_and_mail_of_a_row_agree() {
    let table = people(2000);
    let generator = fitted(&table);
    let drawn = generator.sample(&Ask::all(5000, 4));
    let (first, last, full, mail) = (column(&drawn, 0), column(&drawn, 1), column(&drawn, 2), column(&drawn, 3));
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
    for row in 0..drawn.rows() {
        assert_eq!(full[row], format!("{} {}", first[row], last[row]));
        let (f, l) = (first[row].to_lowercase(), last[row].to_lowercase());
        let local = mail[row].split('@').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit());
        let form = [("first.last", format!("{f}.{l}")), ("flast", format!("{}{l}", &f[..1])), ("first", f)];
        let (form, _) =
            form.iter().find(|(_, text)| text == local).unwrap_or_else(|| panic!("{} of {}", mail[row], full[row]));
        *shares.entry(form).or_default() += 1;
    }
    // Training: a half, a quarter, a quarter; the bound is five standard errors of a share of 2,000.
    let near = |form: &str, share: f64| (shares[form] as f64 / 5000.0 - share).abs() < 0.06;
    assert!(near("first.last", 0.5) && near("flast", 0.25) && near("first", 0.25), "{shares:?}");
    let common = mail.iter().filter(|mail| mail.ends_with("@gmail.com")).count() as f64 / 5000.0;
    assert!((common - 1.0 / 3.0).abs() < 0.06, "{common} of the addresses are of the common domain");
    assert!(generator.notes().iter().any(|note| note.text.contains("`mail` holds e-mail addresses")));
}

#[test]
fn made_up_rows_do_not_depend_on_the_cutting_or_the_saving() {
    let table = people(1500);
    let generator = fitted(&table);
    let rows_total = 2 * Ask::BLOCK + 700;
    let whole = generator.sample(&Ask { first_row: 0, rows: rows_total as usize, rows_total, seed: 9 });
    let loaded = load(&generator.save()).unwrap_or_else(|problem| panic!("a saved model loads: {problem}"));
    let first = loaded.sample(&Ask { first_row: 0, rows: Ask::BLOCK as usize, rows_total, seed: 9 });
    let rest = loaded.sample(&Ask { first_row: Ask::BLOCK, rows: Ask::BLOCK as usize + 700, rows_total, seed: 9 });
    for at in 0..10 {
        let mut cut = column(&first, at);
        cut.extend(column(&rest, at));
        assert!(column(&whole, at) == cut, "column {at}");
    }
}

/// The words and numbers of a text, in small letters.
fn spoken(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[test]
fn no_eight_words_of_one_comment_are_written_again() {
    let table = people(2000);
    let mut rows_of: BTreeMap<Vec<String>, BTreeSet<usize>> = BTreeMap::new();
    for (row, comment) in column(&table, 8).iter().enumerate() {
        for run in spoken(comment).windows(8) {
            rows_of.entry(run.to_vec()).or_default().insert(row);
        }
    }
    for comment in column(&fitted(&table).sample(&Ask::all(4000, 6)), 8) {
        for run in spoken(&comment).windows(8) {
            let rows = rows_of.get(run).map_or(0, BTreeSet::len);
            assert!(rows != 1, "`{comment}` has eight words of one comment");
        }
    }
}

/// Orders of customers with one to twelve orders each. Columns: first, last, name, mail, phone, address, city, sex.
fn orders(customers: usize) -> Table {
    let mut dice = Dice(17);
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); 8];
    let mut mails = BTreeSet::new();
    while mails.len() < customers {
        let woman = dice.roll(2) == 0;
        let half = FIRST.split_whitespace().position(|name| name == "John").expect("a man of the list");
        let at = if woman { dice.roll(half) } else { half + dice.roll(half) };
        let (first, last) =
            (FIRST.split_whitespace().nth(at).expect("below the count").to_string(), surname(&mut dice));
        let mail = format!("{}.{}@gmail.com", first.to_lowercase(), last.to_lowercase());
        if !mails.insert(mail.clone()) {
            continue;
        }
        let row = [
            first.clone(),
            last.clone(),
            format!("{first} {last}"),
            mail,
            format!("({}) {:03}-{:04}", 200 + dice.roll(780), 200 + dice.roll(800), dice.roll(10_000)),
            format!("{} {} {}", 1 + dice.roll(900), dice.one(LAST), dice.one("Street Avenue Lane Road")),
            dice.one("Kiel Ulm Bonn Essen").to_string(),
            if woman { "f" } else { "m" }.to_string(),
        ];
        for _ in 0..1 + dice.roll(12) {
            cells.iter_mut().zip(&row).for_each(|(column, cell)| column.push(cell.clone()));
        }
    }
    let names = ["first", "last", "name", "mail", "phone", "address", "city", "sex"];
    let mut columns: Vec<Column> = names.iter().zip(&cells).map(|(name, cells)| texts(name, cells)).collect();
    let amounts = (0..cells[0].len()).map(|_| Some(1 + dice.roll(500) as i64));
    columns.push(Column::ints("amount", amounts.collect(), Spelling::plain()));
    Table::new(columns).expect("columns of one length")
}

/// How many different values there are, and the mean number of rows that the value of a row has.
fn spread(cells: &[String]) -> (usize, f64) {
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    cells.iter().for_each(|cell| *rows.entry(cell).or_default() += 1);
    (rows.len(), rows.values().map(|rows| (rows * rows) as f64).sum::<f64>() / cells.len() as f64)
}

#[test]
fn no_name_leaves_however_many_rows_hold_it() {
    let table = orders(300);
    let generator = fitted(&table);
    let drawn = generator.sample(&Ask::all(table.rows(), 5));
    let real: Vec<Vec<String>> = (0..8).map(|at| column(&table, at)).collect();
    let made: Vec<Vec<String>> = (0..8).map(|at| column(&drawn, at)).collect();
    for at in 0..6 {
        let known: BTreeSet<&String> = real[at].iter().collect();
        let copied: BTreeSet<&String> = made[at].iter().filter(|cell| known.contains(cell)).collect();
        assert!(copied.is_empty(), "column {at}: {copied:?}");
        let ((before, rows_before), (after, rows_after)) = (spread(&real[at]), spread(&made[at]));
        // Both come from the counts of 300 customers, of whom chance moves the rare ones; a third is five times that.
        let near = |a: f64, b: f64| a < b * 4.0 / 3.0 && b < a * 4.0 / 3.0;
        assert!(near(before as f64, after as f64), "column {at}: {before} different values became {after}");
        assert!(near(rows_before, rows_after), "column {at}: {rows_before} rows of a value became {rows_after}");
    }
    let known: [BTreeSet<String>; 2] = [0, 1].map(|at| real[at].iter().map(|name| name.to_lowercase()).collect());
    let rows = made[0].iter().zip(&made[1]).zip(made[2].iter().zip(&made[3]));
    for ((first, last), (name, mail)) in rows {
        assert_eq!(*name, format!("{first} {last}"));
        let own = format!("{}.{}", first.to_lowercase(), last.to_lowercase());
        let local = mail.split('@').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit());
        assert_eq!(local.replace('-', ""), own.replace('-', ""), "{mail} of {name}");
        let parts = own.split('.').zip(&known).filter(|(name, known)| known.contains(*name)).count();
        assert!(parts == 0, "{name} has a name of the table");
    }
    let mut sexes: BTreeMap<&String, [usize; 2]> = BTreeMap::new();
    made[0].iter().zip(&made[7]).for_each(|(first, sex)| sexes.entry(first).or_default()[(sex == "f") as usize] += 1);
    let mixed: usize = sexes.values().map(|counts| counts[0].min(counts[1])).sum();
    // In the source a first name has one sex; half of the rows would be mixed by chance.
    assert!(mixed * 10 < drawn.rows(), "{mixed} rows have a first name of the other sex");
    assert_eq!(made[6].iter().collect::<BTreeSet<_>>(), real[6].iter().collect::<BTreeSet<_>>());
    assert!(generator.notes().iter().any(|note| note.text.contains("`name` holds names of persons: a made-up one")));
    assert!(
        made == (0..8).map(|at| column(&fitted(&table).sample(&Ask::all(table.rows(), 5)), at)).collect::<Vec<_>>()
    );
}

#[test]
fn words_that_are_also_names_stay_where_they_name_no_person() {
    let mut dice = Dice(23);
    let columns = [
        ("city", "Austin Madison Charlotte Savannah Sydney Paris Florence Orlando"),
        ("hair_color", "Brown Black White Gray Green Rose"),
        ("shade", "dark_green light_brown dark_gray light_green navy_blue off_white"),
        ("airport", "Jackson Lincoln Kennedy Logan Bush Reagan"),
        ("grade", "Long Short Young King Rice"),
    ];
    let cells = columns.map(|(_, words)| (0..1500).map(|_| dice.one(words).to_string()).collect::<Vec<_>>());
    let table = columns.iter().zip(&cells).map(|((name, _), cells)| texts(name, cells)).collect();
    let drawn = fitted(&Table::new(table).expect("columns of one length")).sample(&Ask::all(1500, 3));
    for (at, (name, words)) in columns.iter().enumerate() {
        let found: BTreeSet<String> = column(&drawn, at).into_iter().collect();
        let known: BTreeSet<String> = words.split_whitespace().map(String::from).collect();
        assert_eq!(found, known, "{name}");
    }
}

#[test]
fn check_digits_are_right() {
    let mut dice = Dice(5);
    let luhn = |digits: &str| {
        let weigh = |(at, digit): (usize, u32)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 };
        digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate().map(weigh).sum::<u32>() % 10 == 0
    };
    let card = |dice: &mut Dice| loop {
        let text = format!(
            "4{:03} {:04} {:04} {:04}",
            dice.roll(1000),
            dice.roll(10_000),
            dice.roll(10_000),
            dice.roll(10_000)
        );
        if luhn(&text) {
            return text;
        }
    };
    let cards: Vec<String> = (0..500).map(|_| card(&mut dice)).collect();
    let table = Table::new(vec![texts("card", &cards)]).expect("one column");
    let known: BTreeSet<&String> = cards.iter().collect();
    let drawn = column(&fitted(&table).sample(&Ask::all(3000, 1)), 0);
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), drawn.len());
    for text in &drawn {
        assert!(masked(text, "4999 9999 9999 9999") && luhn(text) && !known.contains(text), "{text}");
    }
}

#[test]
fn a_measurement_that_is_different_by_accident_is_no_identifier() {
    let value = |row: usize| (row * 7919 % 2003) as i64 * 23;
    let table = Table::new(vec![
        Column::ints("length", (0..2000).map(|row| Some(value(row))).collect(), Spelling::plain()),
        Column::ints("weight", (0..2000).map(|row| Some(value(row) / 900)).collect(), Spelling::plain()),
    ])
    .expect("columns of one length");
    let drawn = fitted(&table).sample(&Ask::all(2000, 1));
    let (Values::Int(length), Values::Int(weight)) = (drawn.values(0), drawn.values(1)) else { panic!("numbers stay") };
    let near = (0..2000).filter(|&row| (length.value(row) / 900).abs_diff(weight.value(row)) <= 5).count();
    assert!(near > 1600, "{near} of 2000 rows have a weight that goes with their length");
}
