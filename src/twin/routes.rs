//! Which requests a host answers: one table per host, read by the router and by `docs/twin.md`.

/// One request that a host answers.
#[derive(Clone, Copy, Debug)]
pub struct Route<E> {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Its path; a part in braces stands for any one part.
    pub path: &'static str,
    /// What answers it.
    pub endpoint: E,
    /// What the twin does less than the venue here; empty where nothing is missing.
    pub note: &'static str,
}

impl<E> Route<E> {
    /// A call that is served as the venue documents it.
    pub const fn new(method: &'static str, path: &'static str, endpoint: E) -> Self {
        Self { method, path, endpoint, note: "" }
    }

    /// A call of which something is missing, and what.
    pub const fn partly(
        method: &'static str,
        path: &'static str,
        endpoint: E,
        note: &'static str,
    ) -> Self {
        Self { method, path, endpoint, note }
    }
}

/// Where a request leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a, E> {
    /// To an endpoint, with the parts of its path that the route leaves open.
    Endpoint(E, Vec<&'a str>),
    /// To a path that is there for another method.
    OtherMethod,
    /// No route has this path.
    Nothing,
}

/// The first route of the table that takes this request. Empty parts of a path do not count.
pub fn find<'a, E: Copy>(routes: &[Route<E>], method: &str, path: &'a str) -> Found<'a, E> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut other_method = false;
    for route in routes {
        let Some(open) = open_parts(route.path, &parts) else { continue };
        if route.method == method {
            return Found::Endpoint(route.endpoint, open);
        }
        other_method = true;
    }
    if other_method { Found::OtherMethod } else { Found::Nothing }
}

/// The parts that a pattern leaves open; `None` where the path is another.
fn open_parts<'a>(pattern: &str, parts: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut open = Vec::new();
    let mut left = parts.iter();
    for want in pattern.split('/').filter(|part| !part.is_empty()) {
        let part = left.next()?;
        if want.starts_with('{') {
            open.push(*part);
        } else if want != *part {
            return None;
        }
    }
    left.next().is_none().then_some(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_by_part_and_by_method() {
        let table = [
            Route::new("GET", "/markets/keyset", 1),
            Route::new("GET", "/markets/{id}", 2),
            Route::new("DELETE", "/orders/{id}/items/{item}", 3),
            Route::new("GET", "/", 4),
        ];
        assert_eq!(find(&table, "GET", "/markets/keyset"), Found::Endpoint(1, vec![]));
        assert_eq!(find(&table, "GET", "//markets/7/"), Found::Endpoint(2, vec!["7"]));
        assert_eq!(find(&table, "DELETE", "/orders/a/items/b"), Found::Endpoint(3, vec!["a", "b"]));
        assert_eq!(find(&table, "GET", ""), Found::Endpoint(4, vec![]));
        assert_eq!(find(&table, "POST", "/markets/7"), Found::OtherMethod);
        assert_eq!(find(&table, "GET", "/markets/7/8"), Found::Nothing);
        assert_eq!(find(&table, "GET", "/orders/a/items"), Found::Nothing);
    }
}
