#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/time.h"
#include "env/net.h"
#include "model/datum.h"
#include "model/interned_text.h"
#include "model/short_text.h"
#include "model/subscription.h"

namespace muster::session {

// What one connection is shown of one service: its subscribers of one scope and zone share it.
struct ListKey {
    env::ConnId conn;
    Scope scope = Scope::zone;
    InternedText zone;

    [[nodiscard]] friend bool operator==(const ListKey&, const ListKey&) = default;
    [[nodiscard]] friend bool operator<(const ListKey& a, const ListKey& b) {
        if (a.conn != b.conn) {
            return a.conn < b.conn;
        }
        return a.scope != b.scope ? a.scope < b.scope : a.zone.view() < b.zone.view();
    }
};

struct Subscriber {
    ShortText id;
    RegistOrder order;
};

struct ListDetail;

// Most lists have one subscriber, which has acknowledged all there is: that is all they hold. What
// else there may be of one stands in its detail.
struct List {
    Subscriber first;
    Version acknowledged;
    ListDetail* detail = nullptr;  // null: nothing of it is unusual

    [[nodiscard]] Version in_flight() const;
    [[nodiscard]] bool waiting() const;
    [[nodiscard]] bool stray() const;
    [[nodiscard]] bool claimed() const;
    [[nodiscard]] std::optional<MonoTime> behind_since() const;
    [[nodiscard]] std::size_t subscribers() const;
    // Of its subscribers, until it changes.
    [[nodiscard]] std::vector<std::string_view> ids() const;
    void append_ids(std::vector<std::string_view>& ids) const;
};

using ListsByKey = std::pmr::map<ListKey, List>;

struct ListsOfService {
    ServicePtr service;
    ListsByKey lists;
    // While updates of it wait for their turn: for so many lists, from the one not below `next` on,
    // and from the first again after the last.
    bool queued = false;
    std::optional<ListKey> next = {};
    std::size_t left = 0;
};

struct ListDetail {
    static constexpr MonoTime kNever = MonoTime::max();

    std::vector<Subscriber> more;  // beside the first
    Version in_flight;             // zero: nothing
    bool waiting = false;          // something newer than what is in flight or acknowledged
    bool whole = false;            // the next push must not be a delta
    bool stray = false;  // it holds what may not be known here: nothing is taken away from it
    bool late = false;   // what was due was not acknowledged in time
    std::uint32_t failures = 0;
    // What the client says it holds at `acknowledged`: to be confirmed, or replaced.
    std::optional<SetDigest> claimed;
    MonoTime sent_at;
    // Since when the client has not acknowledged all there is; while `in_flight` is not the
    // newest, what came after that waits since `waiting_since`.
    std::optional<MonoTime> behind_since;
    MonoTime waiting_since;
    // Since when it could have acknowledged something, and did not.
    std::optional<MonoTime> silent_since;
    // Of the oldest change that is timed and was not sent yet: when it began, and came here; of
    // the oldest one in flight: when it began. By this clock.
    MonoTime due_origin = kNever;
    MonoTime due_here = kNever;
    MonoTime flight_origin = kNever;

    // Kept by Lists.
    ListsOfService* of = nullptr;
    ListsByKey::value_type* entry = nullptr;
    std::optional<MonoTime> timed_at;
    std::pmr::list<ListDetail>::iterator place;

    // Whether the list would be the same without it.
    [[nodiscard]] bool is_usual() const;
};

// The subscriptions of a session, each kept once: found by the service and list to push to, and by
// connection and id to change or end them. Places stay while their list is there. Loop thread only.
// Bounds: its owner's, who counts (count_of()).
class Lists {
public:
    struct Place {
        ListsOfService* of;
        ListsByKey::value_type* entry;

        [[nodiscard]] const ListKey& key() const {
            return entry->first;
        }
        [[nodiscard]] List& list() const {
            return entry->second;
        }
    };
    struct Found {
        Place place;
        RegistOrder order;
    };

    Lists() = default;
    Lists(const Lists&) = delete;
    Lists& operator=(const Lists&) = delete;

    [[nodiscard]] std::optional<Found> find(env::ConnId conn, std::string_view id) const;
    [[nodiscard]] ListsOfService* of(const Service& service);
    [[nodiscard]] const ListsOfService* of(const Service& service) const;

    struct Added {
        Place place;
        bool is_new_list;
        bool is_new_id;
    };
    // Adds a subscriber, or takes `order` for one that is there. Requires: the id has no other list
    // of that connection; it is no longer than ShortText takes.
    Added add(const ServicePtr& service, const ListKey& key, const RegistId& id, RegistOrder order);
    // Returns the service when these were its last lists; null otherwise, or when there is none.
    ServicePtr remove(env::ConnId conn, std::string_view id);

    [[nodiscard]] std::size_t size() const {
        return size_;
    }
    [[nodiscard]] std::size_t count_of(env::ConnId conn) const;
    // Each list of a connection at least once; `visit` changes nothing of which there are.
    void for_each(env::ConnId conn, const std::function<void(const Place&)>& visit) const;
    // The ids of a connection's subscriptions.
    [[nodiscard]] std::vector<std::string> ids_of(env::ConnId conn) const;

    // Its detail, made when missing.
    ListDetail& detail(const Place& place);
    // Lets go of the detail of what is usual again.
    void settle(List& list);

    // Those timed, by when: a detail is timed anew, or not any more. Constant time each, as times
    // never fall.
    void time(ListDetail& detail, MonoTime now);
    void untime(ListDetail& detail);
    [[nodiscard]] ListDetail* first_timed();

    // Sets its `late`, and counts those that are.
    void mark_late(ListDetail& detail, bool late);
    [[nodiscard]] std::size_t late() const {
        return late_;
    }

private:
    struct ById {
        const char* id;  // ShortText::raw() of the subscriber
        Place place;
    };
    struct Text {
        using is_transparent = void;
        [[nodiscard]] static std::string_view of(const ById& item) {
            return ShortText::view_of(item.id);
        }
        [[nodiscard]] static std::string_view of(std::string_view text) {
            return text;
        }
        // noexcept: then the table need not keep what is computed.
        [[nodiscard]] std::size_t operator()(const auto& item) const noexcept {
            return std::hash<std::string_view>{}(of(item));
        }
        [[nodiscard]] bool operator()(const auto& a, const auto& b) const {
            return of(a) == of(b);
        }
    };
    using Index = std::pmr::unordered_set<ById, Text, Text>;

    void drop_detail(List& list);

    std::pmr::unsynchronized_pool_resource pool_;
    std::map<std::string, ListsOfService> services_;  // by data_info_id
    std::unordered_map<env::ConnId, Index> by_id_;
    std::pmr::list<ListDetail> timed_{&pool_};  // by timed_at
    std::pmr::list<ListDetail> untimed_{&pool_};
    std::size_t size_ = 0;
    std::size_t late_ = 0;
};

}  // namespace muster::session
