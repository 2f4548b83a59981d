//! The results, and what is asked of them.

use std::cell::RefCell;

/// What is asked of results: at most so much.
const ASKED: &[(&str, f64)] = &[
    ("transfer_full_direct_ratio", 1.0),
    ("transfer_full_50ms_s", 2.0),
    ("transfer_full_10mbit_bytes_ratio", 1.0),
    ("transfer_rehash_bytes_ratio", 0.01),
    ("transfer_rehash_10mbit_s", 3.0),
    ("transfer_update_bytes_ratio", 0.40),
    ("transfer_mixed_bytes_ratio", 1.1),
];
/// What is asked of the receiver's peak, in KiB, over what an idle agent has.
const RECEIVER_KIB: f64 = 24_576.0;

/// Results as they come; at the end those of which something is asked are shown once more.
#[derive(Default)]
pub(crate) struct Figures {
    asked: RefCell<Vec<String>>,
}

impl Figures {
    /// Prints a result.
    pub(crate) fn report(&self, name: &str, value: f64, unit: &str) {
        let most = ASKED.iter().find(|(asked, _)| *asked == name).map(|(_, most)| *most);
        self.report_with(name, value, unit, most);
    }

    /// Prints the receiver's peak beside an idle agent's.
    pub(crate) fn report_peak(&self, peak: f64, idle: f64) {
        self.report("transfer_agent_idle_kib", idle, "KiB");
        self.report_with("transfer_receiver_peak_kib", peak, "KiB", Some(RECEIVER_KIB + idle));
    }

    #[expect(clippy::print_stdout, reason = "a bench prints its results")]
    fn report_with(&self, name: &str, value: f64, unit: &str, most: Option<f64>) {
        println!("bench {name} {value:.4} {unit}");
        if let Some(most) = most {
            let verdict = if value <= most { "" } else { "  MISSED" };
            let line = format!("{name:36} {value:12.4} {unit:6} asked: at most {most:.4}{verdict}");
            self.asked.borrow_mut().push(line);
        }
    }

    /// Shows what is asked.
    #[expect(clippy::print_stderr, reason = "for whoever watches; results are on standard output")]
    pub(crate) fn show_asked(&self) {
        for line in self.asked.borrow().iter() {
            eprintln!("{line}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes below 2^52")]
pub(crate) fn as_number(value: u64) -> f64 {
    value as f64
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
