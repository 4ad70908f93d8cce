//! Runs a program and measures it: wall clock, processor time, peak memory. In: a command. Out: its cost. By what Linux
//! tells in `/proc`, so that no other program has to be there.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// The unit of processor times in `/proc`, which is the same on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often the peak of memory is looked at. It never falls, so that only the growth in a last such moment is missed.
const LOOK: Duration = Duration::from_millis(4);

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds of the wall clock.
    pub(crate) wall_s: f64,
    /// Seconds of processor time, of all threads.
    pub(crate) cpu_s: f64,
    /// Most memory held at any time, in millions of bytes.
    pub(crate) peak_mb: f64,
}

/// Runs a command to its end. A command that ends badly, or not in `seconds_max`, is an error, with what it said.
pub(crate) fn watch(command: &mut Command, seconds_max: f64) -> Result<Cost, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let cpu_before = processor_s()?.1;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{name}`: {error}"))?;
    let mut stderr = child.stderr.take().ok_or("stderr is piped")?;
    let (ended, end) = channel();
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        let _ = stderr.read_to_string(&mut said);
        let _ = ended.send(said);
    });
    let status_path = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let mut late = false;
    let said = loop {
        peak_kib = peak_kib.max(peak(&status_path).unwrap_or_default());
        match end.recv_timeout(LOOK) {
            Ok(said) => break said,
            Err(RecvTimeoutError::Disconnected) => break String::new(),
            Err(RecvTimeoutError::Timeout) if !late && began.elapsed().as_secs_f64() > seconds_max => {
                late = true;
                let _ = child.kill();
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    let status = child.wait().map_err(|error| format!("`{name}`: {error}"))?;
    let wall_s = began.elapsed().as_secs_f64();
    let _ = reader.join();
    if late {
        return Err(format!("`{name}` was not done in {seconds_max} s"));
    }
    if !status.success() {
        return Err(format!("`{name}` ended with {status}: {}", said.trim()));
    }
    let cpu_s = processor_s()?.1 - cpu_before;
    Ok(Cost { wall_s, cpu_s, peak_mb: peak_kib as f64 * 1024.0 / 1e6 })
}

/// Processor seconds of this process, and of all children that it waited for.
pub(crate) fn processor_s() -> Result<(f64, f64), String> {
    let text = std::fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    processor_times(&text).ok_or_else(|| "/proc/self/stat has another form than on Linux".to_string())
}

fn processor_times(stat: &str) -> Option<(f64, f64)> {
    // The name in brackets may hold anything; the process's own times are the 12th and 13th number behind it.
    let (_, behind) = stat.rsplit_once(") ")?;
    let ticks: Vec<f64> = behind.split(' ').skip(11).take(4).map_while(|field| field.parse().ok()).collect();
    let &[user, system, children_user, children_system] = ticks.as_slice() else { return None };
    Some(((user + system) / TICKS_PER_SECOND, (children_user + children_system) / TICKS_PER_SECOND))
}

/// The peak of resident memory in KiB.
fn peak(status_path: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status_path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b 9) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 300 25 20 0 1 0 100 1000 10";
        assert_eq!(processor_times(stat), Some((3.0, 3.25)));
        assert_eq!(processor_times("7 (a) S 1"), None);
    }

    #[test]
    fn a_run_is_measured_and_a_bad_end_is_an_error() {
        let cost =
            watch(Command::new("/bin/sh").args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"]), 60.0);
        let cost = cost.unwrap_or_else(|error| panic!("{error}"));
        assert!(cost.cpu_s > 0.0 && cost.wall_s > 0.0 && cost.peak_mb > 0.1, "{cost:?}");
        let ended = watch(Command::new("/bin/sh").args(["-c", "echo no >&2; exit 3"]), 60.0);
        assert!(ended.as_ref().is_err_and(|error| error.ends_with(": no")), "{ended:?}");
        let late = watch(Command::new("/bin/sh").args(["-c", "while :; do :; done"]), 0.05);
        assert!(late.is_err_and(|error| error.contains("not done")));
    }
}
