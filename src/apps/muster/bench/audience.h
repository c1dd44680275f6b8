#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "model/service.h"
#include "msg/client.h"

namespace muster::cli::bench {

// The names of what one run registers: its services are numbered, and so are the entries of each.
// All begin with "muster-bench-" and something random, so that runs meet neither each other nor
// anything real.
class RunNames {
public:
    explicit RunNames(std::uint32_t random);

    [[nodiscard]] const std::string& run() const {
        return run_;
    }
    [[nodiscard]] Service service(std::uint32_t number) const;
    [[nodiscard]] std::string entry(std::uint32_t service, std::uint32_t number) const;
    // A box of an address that nobody has (RFC 5737); differs from version to version.
    [[nodiscard]] static std::string box(std::uint32_t entry, std::uint32_t version);

    // What a box() says; nothing when it is none.
    struct State {
        std::uint32_t entry = 0;
        std::uint32_t version = 0;
    };
    [[nodiscard]] static std::optional<State> state_in(std::string_view box);

    // The number of a service, or of an entry; nothing when it is not of this run.
    [[nodiscard]] std::optional<std::uint32_t> service_number(std::string_view data_id) const;
    [[nodiscard]] std::optional<std::uint32_t> entry_number(std::string_view id) const;

private:
    std::string run_;
};

// What the subscribers of a run hold, and what went wrong with it. Each subscriber (a connection
// and a service of it) holds the version of each entry that it was shown last.
class Audience {
public:
    // One entry as one subscriber saw it change; version zero: not there.
    struct Change {
        std::size_t conn = 0;
        std::uint32_t service = 0;
        std::uint32_t entry = 0;
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        Duration at{};
    };

    explicit Audience(const RunNames& names) : names_(names) {}

    // Called for each change of an entry, while a push is taken.
    void on_change(std::function<void(const Change&)> call) {
        on_change_ = std::move(call);
    }

    // The connection subscribes to the service of so many entries.
    void watch(std::size_t conn, std::uint32_t service, std::uint32_t entries);
    // It subscribes no longer: what it held is forgotten.
    void forget(std::size_t conn, std::uint32_t service);

    // The entry may be removed from now on; until then a list without it is a false removal.
    void let_go(std::uint32_t service, std::uint32_t entry);
    // It came back: from now on a list without it is one again.
    void stays(std::uint32_t service, std::uint32_t entry);

    // Folds a push into what is held. Returns the acknowledgement.
    [[nodiscard]] msg::PushAck take(std::size_t conn, const msg::Push& push, Duration at);

    // Entries that subscribers are shown now, summed over them.
    [[nodiscard]] std::uint64_t shown() const {
        return shown_;
    }
    // Pushes; those with a whole list; those that applied to another list than was held.
    [[nodiscard]] std::uint64_t pushes() const {
        return pushes_;
    }
    [[nodiscard]] std::uint64_t whole_pushes() const {
        return whole_pushes_;
    }
    [[nodiscard]] std::uint64_t unusable() const {
        return unusable_;
    }
    [[nodiscard]] std::uint64_t false_removals() const {
        return false_removals_;
    }
    // Entries shown in an older version than before.
    [[nodiscard]] std::uint64_t backward() const {
        return backward_;
    }

private:
    struct Held {
        Version version;
        std::vector<std::uint32_t> entries;  // versions by number
    };

    static std::uint64_t key(std::size_t conn, std::uint32_t service) {
        return std::uint64_t{conn} << 32U | service;
    }
    void take_whole(Held& held, Change change, const msg::Push& push);
    void take_delta(Held& held, Change change, const msg::Push& push);
    void put(Held& held, Change change, const Publication& publication);
    void set(Held& held, Change change, std::uint32_t to);

    const RunNames& names_;
    std::function<void(const Change&)> on_change_;
    std::unordered_map<std::uint64_t, Held> held_;
    std::unordered_set<std::uint64_t> let_go_;  // services and entries
    std::uint64_t shown_ = 0;
    std::uint64_t pushes_ = 0;
    std::uint64_t whole_pushes_ = 0;
    std::uint64_t unusable_ = 0;
    std::uint64_t false_removals_ = 0;
    std::uint64_t backward_ = 0;
};

}  // namespace muster::cli::bench
