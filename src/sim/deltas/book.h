#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/datum.h"
#include "model/ids.h"
#include "model/service.h"
#include "roles/client/client.h"

namespace muster::sim {

// What the publishers of a run said last, by service, and what was shown of it: one content for
// each version of a list that a session tells. Bounds: what is published, and the versions shown
// since forget_versions().
class Book {
public:
    struct Entry {
        RegistId id;
        std::size_t publisher = 0;  // number of the client
        std::string content;
    };
    struct ServiceBook {
        Service service;
        std::size_t usual_size = 0;  // the list's length keeps around it
        std::vector<Entry> entries;  // in any order
    };

    explicit Book(const std::vector<std::size_t>& usual_sizes);

    [[nodiscard]] std::vector<ServiceBook>& services() {
        return services_;
    }
    // Requires: it is one of them.
    [[nodiscard]] const ServiceBook& find(const Service& service) const;

    // What clients of `session` were shown. Returns what is wrong with it, empty: nothing. Two
    // sessions may differ at one version: one may know already who left after it.
    [[nodiscard]] std::string note_shown(const std::string& session, const client::ListKey& key,
                                         const ServiceView& view);
    void forget_versions() {
        shown_.clear();
    }

    // Over everything that was shown, in its order.
    [[nodiscard]] std::uint64_t hash() const {
        return hash_;
    }

private:
    using Told = std::pair<std::string, client::ListKey>;  // by which session

    std::vector<ServiceBook> services_;
    std::map<Told, std::map<Version, SetDigest>> shown_;
    std::uint64_t hash_ = 0;
};

}  // namespace muster::sim
