//! Random histories, longer and unluckier than what can be explored in full; every record on the way is written and
//! read back.

use proptest::prelude::*;

use super::{all_configs, successors, violation, world::Budget};
use crate::{Record, step};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_random_history_ends_well(config in 0_usize..108, picks in prop::collection::vec(any::<prop::sample::Index>(), 150)) {
        let config = all_configs(Budget { fails: 2, crashes: 6, cuts: 3, thirds: 1 })[config];
        let mut node = config.start();
        for pick in picks {
            let moves = successors(config, step, &node);
            let is_final = node.process.is_none() && !moves.iter().any(|(_, _, finishing)| *finishing);
            prop_assert_eq!(violation(config, &node, is_final), None);
            if let Some(record) = &node.world.journal {
                let read = Record::from_json(&record.to_json()).expect("what was written");
                prop_assert_eq!(&read, record);
            }
            if moves.is_empty() {
                break;
            }
            node = moves[pick.index(moves.len())].1.clone();
        }
    }
}
