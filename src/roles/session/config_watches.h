#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "env/net.h"
#include "model/ids.h"
#include "model/service.h"
#include "msg/client.h"
#include "msg/cluster.h"

namespace muster::session {

// Which connections watch which configuration values, and the newest value of each as the metas
// told it. Loop thread only. Bounds: watches are counted against the connection's limit by the
// caller; a key is kept while somebody watches it.
class ConfigWatches {
public:
    struct Key {
        ServicePtr service;
        bool known = false;  // the metas have answered
        Version version;
        std::shared_ptr<const std::string> value;
        std::map<env::ConnId, std::set<RegistId>> watchers;
    };

    // Returns the key; when it is known the caller pushes it to the new watcher.
    const Key& add(const ServicePtr& key, env::ConnId conn, const RegistId& id);
    void remove(const Service& key, env::ConnId conn, const RegistId& id);
    void drop_connection(env::ConnId conn);

    // Takes what a meta tells; null when nobody watches it or it is not newer.
    const Key* take(const msg::ConfigValue& value);

    // What to ask the metas: only keys they have not answered yet, or all.
    [[nodiscard]] msg::ConfigInterest unanswered() const;
    [[nodiscard]] msg::ConfigInterest all() const;

    [[nodiscard]] std::size_t size() const {
        return count_;
    }

private:
    std::map<std::string, Key> keys_;  // by data_info_id
    std::size_t count_ = 0;
};

}  // namespace muster::session
