#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "roles/client/apply_push.h"
#include "roles/client/client.h"
#include "roles/client/deliveries.h"
#include "roles/client/registrations.h"

namespace muster::client {

// What a client subscribes to, and the lists it was told. Loop thread only. Bounded by its owner.
class Lists {
public:
    struct Entry {
        WishId wish = 0;
        RegistId id;
        ServicePtr service;
        std::size_t count = 0;  // of subscribe() calls
        std::int64_t timestamp_ms = 0;
        bool told = false;   // to the server of the present connection
        bool shown = false;  // to the observer
        ListState state;
        MonoTime heard;
    };

    [[nodiscard]] Entry* find(const ListKey& key);
    [[nodiscard]] const Entry* find(const ListKey& key) const;
    // Null: no list of ours.
    [[nodiscard]] const ListKey* key_of(WishId wish) const;
    Entry& add(const ListKey& key, WishId wish, RegistId id);
    void erase(const ListKey& key);

    [[nodiscard]] std::map<ListKey, Entry>& all() {
        return entries_;
    }
    [[nodiscard]] const std::map<ListKey, Entry>& all() const {
        return entries_;
    }

    void on_connected(std::int64_t timestamp_ms, MonoTime now);
    // Asks again for the lists nothing was heard of since `since`; how many.
    std::size_t poll(MonoTime since, std::int64_t timestamp_ms);

    struct Batch {
        std::vector<WishId> wishes;
        msg::ClientMessage message;
    };
    [[nodiscard]] std::optional<Batch> take(msg::RequestId request, std::size_t items_max,
                                            const std::string& app);
    [[nodiscard]] RegistId id_of(WishId wish) const;
    void on_outcome(WishId wish, const Result<void>& result, MonoTime now);

    [[nodiscard]] Deliveries& deliveries() {
        return deliveries_;
    }
    [[nodiscard]] const Deliveries& deliveries() const {
        return deliveries_;
    }

private:
    std::map<ListKey, Entry> entries_;
    std::map<WishId, ListKey> keys_;
    Deliveries deliveries_;
};

// What a client watches, and the values it was told.
class Watches {
public:
    struct Entry {
        WishId wish = 0;
        RegistId id;
        ServicePtr key;
        std::size_t count = 0;
        std::int64_t timestamp_ms = 0;
        bool told = false;
        ConfigState state;
        MonoTime heard;
    };

    [[nodiscard]] Entry* find(const Service& key);
    [[nodiscard]] const Entry* find(const Service& key) const;
    Entry& add(const Service& key, WishId wish, RegistId id);
    void erase(const Service& key);
    [[nodiscard]] std::size_t size() const {
        return entries_.size();
    }

    void on_connected(std::int64_t timestamp_ms, MonoTime now);
    std::size_t poll(MonoTime since, std::int64_t timestamp_ms);

    // A request carries one watch.
    struct Taken {
        WishId wish = 0;
        msg::ClientMessage message;
    };
    [[nodiscard]] std::optional<Taken> take(msg::RequestId request);
    [[nodiscard]] RegistId id_of(WishId wish) const;
    void on_outcome(WishId wish, const Result<void>& result, MonoTime now);

    [[nodiscard]] Deliveries& deliveries() {
        return deliveries_;
    }
    [[nodiscard]] const Deliveries& deliveries() const {
        return deliveries_;
    }

private:
    std::map<Service, Entry> entries_;
    std::map<WishId, Service> keys_;
    Deliveries deliveries_;
};

}  // namespace muster::client
