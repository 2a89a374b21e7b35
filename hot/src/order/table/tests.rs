use super::*;
use crate::ids::{Action, GroupId, MarketId, Outcome, Venue};
use crate::order::{Purpose, Tif};
use crate::pack::Unpacker;
use crate::state::State as _;
use crate::units::Price;

fn record(id: u64) -> Record {
    let order = Order {
        id: OrderId::new(id),
        epoch: 1,
        decided: Nanos::ZERO,
        group: GroupId::new(1),
        market: MarketId::new(0),
        venue: Venue::Kalshi,
        outcome: Outcome::Yes,
        action: Action::Buy,
        price: Price::ONE,
        qty: Qty::from_contracts(30),
        tif: Tif::Gtc,
        expires: None,
        post_only: true,
        purpose: Purpose::Quote,
    };
    Record { state: OrderState::Done, ..Record::new(order, Usd::ZERO, Qty::ZERO, Nanos::ZERO) }
}

#[test]
fn the_last_orders_that_are_done_are_remembered_by_both_names_and_no_more() {
    let mut table = OrderTable::new();
    let known = |table: &OrderTable, id: u64| {
        let (by_id, by_key) = (OrderRef::Id(OrderId::new(id)), OrderRef::Key(VenueKey::new(id)));
        [by_id, by_key].map(|name| table.find(name).map(|record| record.order.id.get()))
    };
    let most = ORDERS_DONE_MAX as u64;
    for id in 1..=most + 1 {
        table.insert(record(id));
        assert!(table.bind(OrderId::new(id), VenueKey::new(id)));
        assert_eq!(table.live_len(), 1);
        table.retire(OrderId::new(id));
        let first = if id <= most { Some(1) } else { None };
        assert_eq!(known(&table, 1), [first; 2], "after {id}");
    }
    for id in [2, most, most + 1] {
        assert_eq!(known(&table, id), [Some(id); 2]);
    }
    assert_eq!(table.live_len(), 0);
}

fn saved(table: &OrderTable) -> Vec<u8> {
    let mut bytes = Vec::new();
    table.save(&mut bytes);
    bytes
}

#[test]
fn there_is_room_for_so_many_that_live_and_all_of_them_are_found_again_once_loaded() {
    let mut table = OrderTable::new();
    let most = ORDERS_LIVE_MAX as u64;
    for id in 1..=most {
        assert!(table.has_room(), "{id}");
        table.insert(record(id));
    }
    assert!(!table.has_room());
    let mut loaded = OrderTable::new();
    loaded.load(&mut Unpacker::new(&saved(&table))).unwrap();
    for id in [1, most] {
        let name = OrderRef::Id(OrderId::new(id));
        assert_eq!(loaded.find(name), Some(&record(id)));
    }
    assert!(!loaded.has_room() && loaded.live().eq(table.live()));
}

#[test]
fn a_table_with_an_id_twice_or_an_order_in_no_list_is_not_read() {
    let read = |table: &OrderTable| OrderTable::new().load(&mut Unpacker::new(&saved(table)));
    let mut table = OrderTable::new();
    table.insert(record(1));
    table.insert(record(2));
    assert!(read(&table).is_some());
    table.slots[1] = record(1);
    assert_eq!(read(&table), None, "an id twice");
    table.slots[1] = record(2);
    table.done.push_back(0);
    assert_eq!(read(&table), None, "live and done");
    table.done.clear();
    table.live.pop();
    assert_eq!(read(&table), None, "neither");
}
