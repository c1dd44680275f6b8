#include "roles/session/config_watches.h"

#include <iterator>

namespace muster::session {

const ConfigWatches::Key& ConfigWatches::add(const ServicePtr& key, env::ConnId conn,
                                             const RegistId& id) {
    Key& known = keys_[key->data_info_id()];
    known.service = key;
    count_ += known.watchers[conn].insert(id).second ? 1 : 0;
    return known;
}

void ConfigWatches::remove(const Service& key, env::ConnId conn, const RegistId& id) {
    const auto known = keys_.find(key.data_info_id());
    if (known == keys_.end()) {
        return;
    }
    const auto watchers = known->second.watchers.find(conn);
    if (watchers == known->second.watchers.end()) {
        return;
    }
    count_ -= watchers->second.erase(id);
    if (watchers->second.empty()) {
        known->second.watchers.erase(watchers);
    }
    if (known->second.watchers.empty()) {
        keys_.erase(known);
    }
}

void ConfigWatches::drop_connection(env::ConnId conn) {
    for (auto key = keys_.begin(); key != keys_.end();) {
        auto& watchers = key->second.watchers;
        if (const auto found = watchers.find(conn); found != watchers.end()) {
            count_ -= found->second.size();
            watchers.erase(found);
        }
        key = watchers.empty() ? keys_.erase(key) : std::next(key);
    }
}

const ConfigWatches::Key* ConfigWatches::take(const msg::ConfigValue& value) {
    const auto known = keys_.find(value.key);
    if (known == keys_.end()) {
        return nullptr;
    }
    Key& key = known->second;
    if (key.known && value.version <= key.version) {
        return nullptr;
    }
    key.known = true;
    key.version = value.version;
    key.value = value.value;
    return &key;
}

msg::ConfigInterest ConfigWatches::unanswered() const {
    msg::ConfigInterest interest;
    for (const auto& [name, key] : keys_) {
        if (!key.known) {
            interest.items.push_back({name, key.version});
        }
    }
    return interest;
}

msg::ConfigInterest ConfigWatches::all() const {
    msg::ConfigInterest interest;
    for (const auto& [name, key] : keys_) {
        interest.items.push_back({name, key.version});
    }
    return interest;
}

}  // namespace muster::session
