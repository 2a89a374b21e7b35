//! One value for each venue.

use std::ops::{Index, IndexMut};

use crate::ids::Venue;
use crate::pack::{Pack, PackSink, PackSource};

/// How many venues there are.
const VENUES: usize = Venue::ALL.len();

/// One value for each venue, found by the venue and by nothing else.
///
/// A further variant of [`Venue`] makes every one of them longer; only what names the venues one by one must then be
/// written anew, and does not compile before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerVenue<T>([T; VENUES]);

impl<T> PerVenue<T> {
    /// What `make` makes for each venue, in the order of [`Venue::ALL`].
    pub fn from_fn(make: impl FnMut(Venue) -> T) -> Self {
        Self(Venue::ALL.map(make))
    }

    /// The same for each venue, where it makes something else of each value.
    pub fn map<U>(self, mut make: impl FnMut(Venue, T) -> U) -> PerVenue<U> {
        let mut venues = Venue::ALL.into_iter();
        PerVenue(self.0.map(|value| make(venues.next().expect("as many as venues"), value)))
    }

    /// Each value with that of `other`.
    pub fn zip<U>(self, other: PerVenue<U>) -> PerVenue<(T, U)> {
        let mut others = other.0.into_iter();
        self.map(|_, value| (value, others.next().expect("as many as venues")))
    }

    /// A reference to each value.
    pub fn each_ref(&self) -> PerVenue<&T> {
        PerVenue(self.0.each_ref())
    }

    /// A mutable reference to each value.
    pub fn each_mut(&mut self) -> PerVenue<&mut T> {
        PerVenue(self.0.each_mut())
    }

    /// The values, in the order of [`Venue::ALL`].
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.0.iter()
    }

    /// The values, in the order of [`Venue::ALL`], to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.0.iter_mut()
    }

    /// Each venue with its value, in the order of [`Venue::ALL`].
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Venue, &T)> + Clone {
        Venue::ALL.into_iter().zip(&self.0)
    }

    /// Each venue with its value, to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (Venue, &mut T)> {
        Venue::ALL.into_iter().zip(&mut self.0)
    }
}

impl<T: Copy> PerVenue<T> {
    /// The same value for each venue.
    pub const fn all(value: T) -> Self {
        Self([value; VENUES])
    }
}

impl<T, U> PerVenue<(T, U)> {
    /// The first values and the second ones.
    pub fn unzip(self) -> (PerVenue<T>, PerVenue<U>) {
        let mut second = [const { None }; VENUES];
        let first = self.map(|venue, (one, other)| {
            second[venue.index()] = Some(other);
            one
        });
        (first, PerVenue(second.map(|value| value.expect("each was put in its place"))))
    }
}

impl<T, E> PerVenue<Result<T, E>> {
    /// The values, if each of them is there.
    ///
    /// # Errors
    /// That of the first venue that has one.
    pub fn transpose(self) -> Result<PerVenue<T>, E> {
        let mut made = [const { None }; VENUES];
        for (place, value) in made.iter_mut().zip(self.0) {
            *place = Some(value?);
        }
        Ok(PerVenue(made.map(|value| value.expect("each was put in its place"))))
    }
}

/// The values one after the other, in the order of [`Venue::ALL`].
impl<T: Pack> Pack for PerVenue<T> {
    fn pack<W: PackSink>(&self, to: &mut W) {
        self.0.pack(to);
    }

    fn unpack<S: PackSource>(from: &mut S) -> Option<Self> {
        Pack::unpack(from).map(Self)
    }
}

impl<T: Default> Default for PerVenue<T> {
    fn default() -> Self {
        Self::from_fn(|_| T::default())
    }
}

impl<T> Index<Venue> for PerVenue<T> {
    type Output = T;

    fn index(&self, venue: Venue) -> &T {
        &self.0[venue.index()]
    }
}

impl<T> IndexMut<Venue> for PerVenue<T> {
    fn index_mut(&mut self, venue: Venue) -> &mut T {
        &mut self.0[venue.index()]
    }
}

impl<T> IntoIterator for PerVenue<T> {
    type Item = (Venue, T);
    type IntoIter =
        std::iter::Zip<std::array::IntoIter<Venue, VENUES>, std::array::IntoIter<T, VENUES>>;

    fn into_iter(self) -> Self::IntoIter {
        Venue::ALL.into_iter().zip(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_venue_has_its_own_value() {
        let mut names = PerVenue::from_fn(Venue::name);
        assert!(names.iter().all(|(venue, name)| *name == venue.name()));
        for venue in Venue::ALL {
            names[venue] = "changed";
            let changed = names.values().filter(|name| **name == "changed").count();
            assert_eq!((changed, names[venue]), (venue.index() + 1, "changed"));
        }
        let both = PerVenue::from_fn(|venue| venue).zip(PerVenue::from_fn(Venue::name));
        let (first, second) = both.unzip();
        assert!(first.iter().all(|(venue, same)| venue == *same));
        assert_eq!(second, PerVenue::from_fn(Venue::name));
        let lengths = names.map(|venue, name| (venue, name.len()));
        assert!(lengths.into_iter().all(|(venue, (same, length))| venue == same && length == 7));
        assert_eq!(PerVenue::<u8>::default(), PerVenue::all(0));
    }

    #[test]
    fn one_error_is_enough() {
        let failing = |bad: Option<Venue>| {
            PerVenue::from_fn(|venue| if bad == Some(venue) { Err(venue) } else { Ok(venue) })
                .transpose()
        };
        assert_eq!(failing(None), Ok(PerVenue::from_fn(|venue| venue)));
        for venue in Venue::ALL {
            assert_eq!(failing(Some(venue)), Err(venue));
        }
    }
}
