//! Lists of public names and words: a way of writing comes in, words of that kind that may be written go out. The names
//! are those of the `fake` crate; nothing here was ever in a training table.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use fake::locales::{DE_DE, Data, EN, FR_FR, IT_IT, NL_NL, PT_BR};

use crate::makers::text_grams::{EDGE, Grams};
use crate::random::Random;

/// First names and last names of one region.
type Region = (&'static [&'static str], &'static [&'static str]);

/// Regions that names are told by and made of; the first is for want of a better.
pub(crate) const REGIONS: [Region; 6] = [
    (EN::NAME_FIRST_NAME, EN::NAME_LAST_NAME),
    (DE_DE::NAME_FIRST_NAME, DE_DE::NAME_LAST_NAME),
    (FR_FR::NAME_FIRST_NAME, FR_FR::NAME_LAST_NAME),
    (IT_IT::NAME_FIRST_NAME, IT_IT::NAME_LAST_NAME),
    (NL_NL::NAME_FIRST_NAME, NL_NL::NAME_LAST_NAME),
    (PT_BR::NAME_FIRST_NAME, PT_BR::NAME_LAST_NAME),
];

/// Last names that are common and in no list above, so that names are told by more than a few hundred.
const COMMON_LAST: &str = "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez \
    wilson anderson thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson \
    walker young allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell mitchell \
    carter roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook \
    rogers gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez \
    wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel myers long ross foster jimenez powell \
    jenkins perry russell sullivan bell coleman butler henderson barnes fisher vasquez simmons romero jordan patterson \
    alexander hamilton graham reynolds griffin wallace west cole hayes bryant herrera gibson ellis tran medina stevens murray \
    ford castro marshall owens harrison fernandez mcdonald woods washington kennedy wells vargas henry chen freeman webb \
    tucker guzman burns crawford olson simpson porter hunter gordon mendez silva shaw snyder mason dixon munoz hunt hicks \
    holmes palmer wagner black robertson boyd stone salazar fox warren mills meyer rice schmidt garza daniels ferguson nichols \
    stephens soto weaver ryan gardner payne grant dunn kelley spencer hawkins arnold pierce hansen peters santos hart bradley \
    knight elliott cunningham duncan armstrong hudson carroll lane riley andrews alvarado ray delgado berry perkins hoffman \
    johnston matthews pena richards contreras willis carpenter lawrence sandoval guerrero george chapman rios estrada ortega \
    watkins greene nunez wheeler valdez harper burke larson santiago maldonado morrison franklin carlson austin dominguez carr \
    lawson jacobs obrien lynch singh vega bishop montgomery oliver jensen harvey williamson gilbert dean sims espinoza howell \
    li wong reid hanson le mccoy garrett burton fuller wang weber welch rojas lucas marquez fields park yang little banks \
    padilla day walsh bowman schultz luna fowler mejia müller schneider fischer schulz becker koch bauer richter klein wolf \
    schröder neumann schwarz zimmermann braun krüger hofmann hartmann lange werner schmitt krause lehmann";

/// Common German names: the list of the crate is short.
const GERMAN_FIRST: &str = "Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner Horst Frank Dieter \
    Manfred Gerhard Hans Bernd Torsten Matthias Helmut Walter Heinz Martin Jörg Rolf Jens Sven Alexander Jan Rainer Holger \
    Karl Dirk Joachim Ralf Carsten Herbert Oliver Wilhelm Kurt Markus Heinrich Paul Hermann Ernst Daniel Bernhard Sebastian \
    Tobias Florian Lukas Felix Jonas Niklas Moritz Fabian Philipp Tim Maximilian Ursula Sabine Monika Petra Elisabeth Renate \
    Helga Karin Brigitte Ingrid Erika Andrea Gisela Claudia Susanne Gabriele Christa Christine Hildegard Anna Birgit Barbara \
    Gertrud Heike Marianne Elke Martina Angelika Irmgard Inge Ute Elfriede Doris Marion Ruth Ulrike Hannelore Jutta Gerda \
    Kerstin Ilse Anneliese Margarete Ingeborg Anja Edith Sandra Waltraud Beate Rita Katharina Christel Nicole Regina Eva Rosemarie \
    Erna Manuela Sonja Irene Silke Johanna Lena Laura Lea Julia Hannah Emma Mia Sophie Marie Leonie Annika Franziska Svenja";
const GERMAN_LAST: &str = "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein \
    Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz Krause Meier Lehmann \
    Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert \
    Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm \
    Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte \
    Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer Ernst Hübner Lindner \
    Beyer Haase Kirchner Ebert Hansen Nowak Förster Barth Lutz Hauser Petersen Fiedler Brinkmann Reuter Lindemann Bachmann";

/// Common first names of women, as far as they do not end as such.
const WOMEN: &str = "Mary Elizabeth Jennifer Susan Margaret Dorothy Karen Nancy Betty Helen Carol Ruth Sharon Michelle Kimberly \
    Deborah Shirley Kathleen Amy Janet Catherine Frances Christine Marie Joyce Diane Alice Julie Heather Evelyn Jean Cheryl \
    Katherine Joan Ashley Judith Rose Janice Kelly Nicole Judy Kathy Irene Jane Lori Rachel Marilyn Kathryn Louise Anne Ann \
    Ruby Phyllis Tiffany Emily Robin Peggy Crystal Gladys Rita Dawn Connie Florence Tracy Edna Tina Rosa Cindy Grace Wendy \
    Edith Kim Sherry Josephine Ellen Ethel Stacy Carmen Pauline Charlotte Esther Pearl Hazel Lucille Megan Joanne Eleanor \
    Valerie Danielle Alicia Suzanne Gail Bertha Darlene Jill Jessie Erin Geraldine Lauren Cathy Lynn Sally Beatrice Dolores \
    Audrey Yvonne Annette Marion Stella Melanie Beth Stacey Sue Vivian Vicki Holly Stephanie Sarah Hannah Zoe Chloe Sophie \
    Madison Abigail Isabel Naomi Paige Brooke Faith Hope Ivy Lily Violet Daisy Lucy Eve Ingrid Astrid Simone Claire Elise \
    Camille Juliette Manon Ines Alix Agathe Noemi Elodie Margot Margaux Fleur Anouk Femke Maud Sanne Lotte Beatriz Ana Eva \
    Mia Lea Ada Ida Ava Isis Giselle Adele Arlene Bonnie Celeste Colleen Corinne Denise Eileen Estelle Gretchen Gwendolyn \
    Jacqueline Jocelyn Kaitlyn Kristin Leslie Maureen Miriam Molly Noelle Penelope Rosalind Roxanne Scarlett Summer Winifred";

/// Common first names of men, and those that end as women's do.
const MEN: &str = "James John Robert Michael William David Richard Charles Joseph Thomas Christopher Daniel Paul Mark Donald George \
    Kenneth Steven Edward Brian Ronald Anthony Kevin Jason Matthew Gary Timothy Jose Larry Jeffrey Frank Scott Eric Stephen \
    Andrew Raymond Gregory Joshua Jerry Dennis Walter Patrick Peter Harold Douglas Henry Carl Arthur Ryan Roger Joe Juan Jack \
    Albert Jonathan Justin Gerald Keith Samuel Willie Ralph Lawrence Nicholas Roy Benjamin Bruce Brandon Adam Harry Fred Wayne \
    Billy Steve Louis Jeremy Aaron Randy Howard Eugene Carlos Russell Bobby Victor Martin Ernest Phillip Philip Todd Jesse \
    Craig Alan Clarence Sean Chris Johnny Earl Jimmy Antonio Danny Bryan Tony Luis Mike Stanley Leonard Nathan Dale Manuel \
    Rodney Curtis Norman Allen Marvin Vincent Glenn Jeffery Travis Jeff Chad Jacob Lee Melvin Alfred Kyle Francis Bradley \
    Herbert Frederick Ray Joel Edwin Don Eddie Ricky Troy Randall Barry Alexander Bernard Mario Leroy Francisco Marcus Theodore \
    Clifford Miguel Oscar Jay Jim Tom Calvin Alex Jon Ronnie Bill Lloyd Tommy Leon Derek Warren Darrell Jerome Floyd Leo Dean \
    Hugo Luca Andrea Nicola Mattia Enea Elia Ezra Noah Elijah Isaiah Jonah Micah Nikita Joshua Garcia Oliver Liam Logan Ethan \
    Lucas Owen Dylan Luke Gabriel Isaac Caleb Connor Hunter Max Felix Otto Karl Kurt Hans Pierre Jean-Pierre Luc Marc Olivier \
    Thierry Laurent Didier Giovanni Marco Paolo Franco Bruno Pedro Paulo Rafael Diego Joris Daan Sem Bram Pieter Willem";

/// Beginnings and endings of last names.
const STEMS: &str = "Ash Alder Arm Bar Beck Bell Birch Black Bram Brad Brent Brook Burn Carl Chad Clay Cliff Cold Crom Dar Den Dray \
    East El Fair Farn Fen Gar Glen Gray Hal Har Hart Haw Hazel Hol Hunt Ken Kirk Lang Lind Loch Marl May Mel Mill Nor Oak Oat \
    Pem Pen Pres Rad Ram Red Rock Rod Ros Rush Sand Sel Shel Stan Sted Stock Sum Sut Thorn Til Tor Wal War Wat Well Wes Whit \
    Wick Wil Win Wood Wyn";
const ENDINGS: &str = "bourne bridge burn by combe cott croft dale den don field ford gate grove ham hart hill holm hurst ingham \
    ington land leigh ley lock low man mere mond more ridge shaw stead stone strom ton wall ward way well wick wood worth";

/// Words that made-up domains, paths and shops are made of.
pub(crate) const NOUNS: [&str; 64] = [
    "anchor", "arbor", "atlas", "basin", "beacon", "bridge", "brook", "canyon", "cedar", "circle", "cloud", "coast",
    "copper", "craft", "delta", "drift", "ember", "field", "forge", "garden", "grove", "harbor", "haven", "hill",
    "island", "ivory", "junction", "lake", "lantern", "ledge", "lumen", "maple", "meadow", "mill", "mosaic", "north",
    "oak", "orbit", "orchard", "path", "pebble", "pine", "plaza", "prairie", "quarry", "ridge", "river", "rowan",
    "sail", "signal", "silver", "sparrow", "spring", "stone", "summit", "thistle", "timber", "tower", "valley",
    "vista", "wave", "willow", "wind", "yard",
];

/// Words that addresses show.
pub(crate) const STREETS: &str = "st street ave avenue rd road dr drive ln lane blvd boulevard ct court way place pl square sq \
    terrace ter trail trl parkway pkwy circle cir highway hwy straße strasse str weg allee platz gasse rue via viale piazza \
    calle avenida rua straat laan plein apt suite box";

/// Words that names of companies show.
pub(crate) const FIRMS: &str = "inc llc ltd limited gmbh ag kg ohg ug corp corporation co company group plc sons bv nv sa sarl srl \
    spa holding holdings partners associates lp llp pty oy ab ltda";

/// Words that stand beside a name without being one.
pub(crate) const TITLES: &str = "mr mrs ms miss mx dr prof sir herr frau mme m sig jr sr ii iii iv v md phd dds dvm esq rev hon \
    van von de da di del der den la le dos das du";

/// Whether the word is in a list such as [`STREETS`].
pub(crate) fn listed(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|entry| entry == word)
}

/// Lower-case letters and digits only, without accents: how a name is written in an address.
pub(crate) fn fold(text: &str) -> String {
    folded(text, false)
}

/// As [`fold`], with `ae` for `ä` and the like.
pub(crate) fn fold_wide(text: &str) -> String {
    folded(text, true)
}

fn folded(text: &str, wide: bool) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' if wide => folded.push_str("ae"),
            'ö' if wide => folded.push_str("oe"),
            'ü' if wide => folded.push_str("ue"),
            'a'..='z' | '0'..='9' => folded.push(letter),
            'à'..='å' | 'ā' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' | 'ı' => folded.push('i'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ő' => folded.push('o'),
            'ù'..='ü' | 'ů' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ß' => folded.push_str("ss"),
            'š' | 'ş' | 'ś' => folded.push('s'),
            'ž' | 'ż' | 'ź' => folded.push('z'),
            'ł' => folded.push('l'),
            'ğ' => folded.push('g'),
            'ř' => folded.push('r'),
            'æ' => folded.push_str("ae"),
            _ => {}
        }
    }
    folded
}

/// In which regions a folded word is a name: bits of first names, bits of last names.
fn regions_of(folded: &str) -> (u8, u8) {
    static NAMES: OnceLock<HashMap<String, (u8, u8)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let mut names: HashMap<String, (u8, u8)> = HashMap::new();
        for (at, (firsts, lasts)) in REGIONS.iter().enumerate() {
            firsts.iter().for_each(|name| names.entry(fold(name)).or_default().0 |= 1 << at);
            lasts.iter().for_each(|name| names.entry(fold(name)).or_default().1 |= 1 << at);
        }
        GERMAN_FIRST.split_whitespace().for_each(|name| names.entry(fold(name)).or_default().0 |= 2);
        GERMAN_LAST.split_whitespace().for_each(|name| names.entry(fold(name)).or_default().1 |= 2);
        COMMON_LAST.split_whitespace().for_each(|name| names.entry(fold(name)).or_default().1 |= 1);
        names
    });
    names.get(folded).copied().unwrap_or_default()
}

/// Whether the folded word is a first name somewhere.
pub(crate) fn first_name(folded: &str) -> bool {
    regions_of(folded).0 != 0
}

/// Whether the folded word is a last name somewhere.
pub(crate) fn last_name(folded: &str) -> bool {
    regions_of(folded).1 != 0
}

/// The region that a folded name is taken to be of: the usual one where it is a name there, else another that has it.
pub(crate) fn region_of_name(folded: &str, last: bool, usual: usize) -> usize {
    let (first, second) = regions_of(folded);
    let bits = if last { second } else { first };
    let own = bits >> usual & 1 == 1 || bits == 0;
    if own { usual } else { bits.trailing_zeros() as usize }
}

/// Whether a folded first name is a woman's (1) or a man's (2), where it is a common one or its ending says so; else 0.
pub(crate) fn sex_of(folded: &str) -> u8 {
    static SEXES: OnceLock<HashMap<String, u8>> = OnceLock::new();
    let sexes = SEXES.get_or_init(|| {
        let mut sexes = HashMap::new();
        sexes.extend(WOMEN.split_whitespace().map(|name| (fold(name), 1)));
        sexes.extend(MEN.split_whitespace().map(|name| (fold(name), 2)));
        // The German list has men first.
        let split = GERMAN_FIRST.split_whitespace().position(|name| name == "Ursula").unwrap_or(0);
        for (at, name) in GERMAN_FIRST.split_whitespace().enumerate() {
            sexes.insert(fold(name), if at < split { 2 } else { 1 });
        }
        sexes
    });
    let told = || if folded.len() > 3 && folded.ends_with('a') { 1 } else { 0 };
    sexes.get(folded).copied().unwrap_or_else(told)
}

/// The region that most of these words come from.
pub(crate) fn region_of<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    /// Letters that only some regions write.
    const MARKS: [(usize, &str); 3] = [(1, "äöüß"), (2, "éèêëçîïâû"), (5, "ãõ")];
    let mut held = [0usize; REGIONS.len()];
    let mut marked = [0usize; MARKS.len()];
    let mut all = 0;
    for word in words {
        all += 1;
        let lower = word.to_lowercase();
        MARKS.iter().zip(&mut marked).for_each(|(mark, n)| *n += lower.contains(|c| mark.1.contains(c)) as usize);
        let (first, last) = regions_of(&fold(word));
        (0..held.len()).for_each(|at| held[at] += ((first | last) >> at & 1) as usize);
    }
    let most = (0..MARKS.len()).rev().max_by_key(|&at| marked[at]).unwrap_or(0);
    if marked[most] * 40 > all {
        return MARKS[most].0;
    }
    // Lists differ in length, and the first is the longest: another has to show clearly more.
    let best = (0..held.len()).rev().max_by_key(|&at| held[at]).unwrap_or(0);
    if held[best] * 4 > held[0] * 5 { best } else { 0 }
}

/// Up to `count` different last (or first) names of a region, in an order of chance, none of which `taken` says yes to.
/// Where the list is too short, names of its kind are made up.
pub(crate) fn pool(region: usize, last: bool, count: usize, taken: &dyn Fn(&str) -> bool, seed: u64) -> Vec<String> {
    let mut random = Random::at(&[seed, 0x706f_6f6c, last as u64]);
    let (firsts, lasts) = REGIONS[region.min(REGIONS.len() - 1)];
    let mut list: Vec<&str> = if last { lasts.to_vec() } else { firsts.to_vec() };
    if region == 1 {
        list.extend(if last { GERMAN_LAST } else { GERMAN_FIRST }.split_whitespace());
    }
    list.sort_unstable();
    list.dedup();
    let plain = |name: &&&str| name.chars().all(char::is_alphabetic) && name.chars().count() > 1;
    let mut names: Vec<String> = list.iter().filter(plain).map(|name| name.to_string()).collect();
    names.retain(|name| !taken(name));
    random.shuffle(&mut names);
    let mut seen: BTreeSet<String> = names.iter().map(|name| fold(name)).collect();
    if last && region == 0 {
        let mut made: Vec<String> = STEMS
            .split_whitespace()
            .flat_map(|stem| ENDINGS.split_whitespace().map(move |ending| format!("{stem}{ending}")))
            .filter(|name| !taken(name))
            .collect();
        random.shuffle(&mut made);
        names.extend(made.into_iter().filter(|name| seen.insert(fold(name))));
    }
    // Names that are made up letter by letter look it: no more of them than of the others.
    let count = count.min(2 * names.len().max(100));
    if names.len() < count {
        more(&list, count, &mut names, &mut |name| !taken(name) && seen.insert(fold(name)), &mut random);
    }
    names.truncate(count.max(1));
    names
}

/// Adds words like those of the list, letter by letter as these follow each other there, until there are `count`.
fn more(list: &[&str], count: usize, names: &mut Vec<String>, new: &mut dyn FnMut(&str) -> bool, random: &mut Random) {
    let usual = |letter: char| letter.is_ascii_alphabetic() || "äöüßéèêëàâôîïçñáíóúãõ".contains(letter);
    let coded: Vec<Vec<u32>> =
        list.iter().filter(|name| name.chars().all(usual)).map(|name| name.chars().map(u32::from).collect()).collect();
    let grams = Grams::learn(&coded, 4);
    for _ in 0..30 * count {
        if names.len() >= count {
            break;
        }
        let mut letters: Vec<u32> = Vec::new();
        while letters.len() < 12 {
            match grams.next(&letters, 4, random) {
                EDGE => break,
                letter => letters.push(letter),
            }
        }
        let name: String = letters.iter().filter_map(|&letter| char::from_u32(letter)).collect();
        if (4..12).contains(&letters.len()) && new(&name) {
            names.push(name);
        }
    }
}

/// A made-up name of a domain, without its ending.
pub(crate) fn domain_stem(lasts: &[String], random: &mut Random) -> String {
    let noun = NOUNS[random.below(NOUNS.len())];
    let name = if lasts.is_empty() { "hart".to_string() } else { fold(&lasts[random.below(lasts.len())]) };
    match random.below(4) {
        0 => format!("{name}-{noun}"),
        1 => format!("{noun}{}", NOUNS[random.below(NOUNS.len())]),
        _ => format!("{name}{noun}"),
    }
}
