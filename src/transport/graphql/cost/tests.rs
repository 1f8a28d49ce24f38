//! What documents cost.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::DocumentOperations;
use serde_json::json;

use super::*;

fn cost_with(document: &str, variables: serde_json::Value) -> usize {
    let document = parse_query(document).unwrap();
    let DocumentOperations::Single(operation) = document.operations else { panic!("one operation") };
    let limit = CostLimit { most: usize::MAX, limits: &Limits::default() };
    let Ok(cost) = check(&operation.node, &document.fragments, &Variables::from_json(variables), limit)
    else {
        panic!("no cost is above this limit")
    };
    cost
}

fn cost(document: &str) -> usize {
    cost_with(document, json!({}))
}

#[test]
fn a_value_counts_once_for_every_entry_it_is_in() {
    for (document, expected) in [
        ("{viewer{plan}}", 2),
        ("{assets{id}}", 50 * 2),
        ("{assets(pageSize:10){id name}}", 10 * 3),
        ("{assets(pageSize:0){id}}", 50 * 2),
        ("{assets(pageSize:9999){id}}", 500 * 2),
        ("{assets(pageSize:10){id views{id url}}}", 10 * (2 + 3)),
        ("{assets(pageSize:10){id tags}}", 10 * 3),
        ("{photos{id}}", 500 * 2),
        ("{libraries(pageSize:10){id}}", 10 * (LIBRARY + 2)),
        ("{libraries(pageSize:10){tags{id count}}}", 10 * (LIBRARY + 1 + 100 * 3)),
        ("{tags{id}}", 100 * 2),
        ("{tags(limit:5000){id}}", 1000 * 2),
        ("{searchAssets{found hits{id}}}", SEARCH + 1 + 20 * 2),
        ("{searchAssets(pageSize:500){hits{id}}}", SEARCH + 100 * 2),
        ("{assets(pageSize:10 page:101){id}}", 10 * 2 + 1000 / 50),
        ("{assets(pageSize:500 page:2000000000){id}}", 500 * 2 + SKIPPED.1),
        ("{__schema{types{name}}}", SCHEMA.0),
        ("mutation{uploadAssets{assets{id url}}}", 1 + 20 * 3),
    ] {
        assert_eq!(cost(document), expected, "{document}");
    }
}

#[test]
fn aliases_fragments_directives_and_variables_count_as_what_they_stand_for() {
    let page = |size: i32| json!({"size": size, "no": false, "yes": true});
    for (document, expected) in [
        ("{a:assets(pageSize:$size){id} b:assets(pageSize:$size){id}}", 2 * 7 * 2),
        ("{assets(pageSize:$size){...f ...f}} fragment f on Asset {id name}", 7 * 5),
        ("{...r} fragment r on Query {assets(pageSize:$size){...f}} fragment f on Asset {id}", 7 * 2),
        ("{...on Query{assets(pageSize:$size){...on Asset{id}}}}", 7 * 2),
        ("{searchAssets(pageSize:$size){...s}} fragment s on SearchResult{hits{id}}", SEARCH + 7 * 2),
        ("{assets(pageSize:$size)@skip(if:$yes){id} viewer{plan}}", 2),
        ("{assets(pageSize:$size)@include(if:$no){id} viewer{plan}}", 2),
        ("{assets(pageSize:$size){id @skip(if:true) name @include(if:$yes) url @skip(if:$no)}}", 7 * 3),
    ] {
        let declared = format!("query($size:Int,$no:Boolean,$yes:Boolean){document}");
        assert_eq!(cost_with(&declared, page(7)), expected, "{document}");
    }
    let doubling: String = (0..15)
        .map(|n| format!("fragment f{n} on Q {{ ...f{next} ...f{next} }} ", next = n + 1))
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(cost(&format!("{{...f0}} {doubling} fragment f15 on Q {{ a }}")), 1 << 15);
}
