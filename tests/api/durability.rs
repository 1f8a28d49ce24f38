//! A data directory keeps everything that was acknowledged, however the process ended.

mod damaged;
mod index;
mod killed;
mod lost;
mod restart;

use serde_json::Value;

use crate::rest::Rest;
use crate::support::program::ASSETS;

/// The largest page of a list.
const PAGE: usize = 500;

/// Every asset that is listed, newest first.
async fn listed(rest: &Rest) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let reply = rest.get(&format!("{ASSETS}?pageSize={PAGE}&page={page}")).await;
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let assets = reply.json()["data"].as_array().unwrap().clone();
        let is_last = assets.len() < PAGE;
        all.extend(assets);
        if is_last {
            break;
        }
    }
    all
}

/// How many assets a search finds, and the ids of the first.
async fn found(rest: &Rest, words: &str) -> (usize, Vec<String>) {
    let reply = rest.get(&format!("/organizations/default/search/assets?pageSize=100&q={words}")).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let data = &reply.json()["data"];
    let hits = data["hits"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned());
    (data["found"].as_u64().unwrap().try_into().unwrap(), hits.collect())
}

/// An asset's url without its origin, since a server on a free port has another one after each start.
fn path_of(asset: &Value) -> String {
    let url = url::Url::parse(asset["url"].as_str().unwrap()).unwrap();
    url.path().to_owned()
}
