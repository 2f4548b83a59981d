//! The forms of single values inside a journal: systems, units, faults, boot ids, times.

use order::SystemPath;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use store::store_path::StoreDir;

use crate::Fault;

/// What is written by its `Display` and read by its `FromStr`.
pub(super) mod text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// The same, if there is one.
pub(super) mod maybe_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(out)
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Unit names.
pub(super) mod units {
    use order::UnitName;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(units: &[UnitName], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(units.iter().map(UnitName::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<UnitName>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
    }
}

/// A duration in whole nanoseconds: what is written is what is read.
pub(super) mod nanoseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// `value`, `Option` and `Vec` of something that is stored as a text.
macro_rules! stored {
    ($one:ident, $maybe:ident, $wire:ident, $type:ty) => {
        pub(super) mod $one {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(value: &$type, out: S) -> Result<S::Ok, S::Error> {
                $wire(value.clone()).serialize(out)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                $wire::deserialize(from).map(|wire| wire.0)
            }
        }

        pub(super) mod $maybe {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(value: &Option<$type>, out: S) -> Result<S::Ok, S::Error> {
                value.clone().map($wire).serialize(out)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<$type>, D::Error> {
                Ok(Option::<$wire>::deserialize(from)?.map(|wire| wire.0))
            }
        }
    };
}

/// The whole path, so that a person can paste it.
struct SystemWire(SystemPath);
stored!(system, maybe_system, SystemWire, SystemPath);

impl Serialize for SystemWire {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0.in_store(&StoreDir::default()))
    }
}

impl<'de> Deserialize<'de> for SystemWire {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        SystemPath::parse(&StoreDir::default(), &text).map(Self).map_err(D::Error::custom)
    }
}

pub(super) struct FaultWire(pub(super) Fault);
stored!(fault, maybe_fault, FaultWire, Fault);

impl Serialize for FaultWire {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for FaultWire {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Fault::new(text)))
    }
}

/// Several faults.
pub(super) mod faults {
    use super::{Deserialize, Deserializer, Fault, FaultWire, Serializer};

    pub(crate) fn serialize<S: Serializer>(faults: &[Fault], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(faults.iter().map(Fault::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Fault>, D::Error> {
        Ok(Vec::<FaultWire>::deserialize(from)?.into_iter().map(|wire| wire.0).collect())
    }
}
