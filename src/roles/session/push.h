#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "env/net.h"
#include "model/subscription.h"
#include "msg/client_port.h"
#include "roles/session/datum_copies.h"
#include "roles/session/stages.h"

namespace muster::session {

// What one connection is shown of one service: its subscribers of one scope and zone share it.
struct ListKey {
    env::ConnId conn;
    Scope scope = Scope::zone;
    std::string zone;

    [[nodiscard]] auto operator<=>(const ListKey&) const = default;
};

// Tells subscribers. The push rule (design 2.4), for each (connection, list):
//
//            changed                    acknowledged, nothing newer
//     idle ---------> in flight -----------------------------------> idle
//                      |  ^  changed meanwhile: remember only that
//                      +--+  acknowledged or timed out: send the newest
//
// A congested connection is passed over until it drains. Lists that are not complete are kept from
// doors that cannot show them as such. Loop thread only. Bounds: one state per (connection, list).
class Pusher {
public:
    static constexpr MonoTime kNever = MonoTime::max();

    struct List {
        std::vector<RegistId> subscribers;
        std::string app;
        Version acknowledged;
        Version in_flight;     // zero: nothing
        bool waiting = false;  // something newer than what is in flight or acknowledged
        bool whole = false;    // the next push must not be a delta
        // What the client says it holds at `acknowledged`: to be confirmed, or replaced.
        std::optional<SetDigest> claimed;
        bool stray = false;  // it holds what may not be known here: nothing is taken away from it
        std::uint32_t failures = 0;
        MonoTime sent_at;
        // Since when the client has not acknowledged all there is; while `in_flight` is not the
        // newest, what came after that waits since `waiting_since`.
        std::optional<MonoTime> behind_since;
        MonoTime waiting_since;
        // Of the oldest change that is timed and was not sent yet: when it began, and came here; of
        // the oldest one in flight: when it began. By this clock.
        MonoTime due_origin = kNever;
        MonoTime due_here = kNever;
        MonoTime flight_origin = kNever;
    };
    struct Probe {
        Counter pushes;
        Counter pushes_whole;
        Counter pushes_delta;
        Counter acknowledged;
        Counter refused;
        Counter timeouts;
        Counter skipped_congested;
        Counter held_back_incomplete;
        LatencyHistogram push_to_ack;
    };
    // The port of an open connection; null when it is closed.
    using PortOf = std::function<msg::ClientPort*(env::ConnId)>;

    Pusher(Duration timeout, PortOf port_of, Stages& stages)
        : timeout_(timeout), port_of_(std::move(port_of)), stages_(stages) {}

    // What a subscriber already has when it comes; version zero: nothing, or it cannot tell.
    struct Held {
        Version version;
        SetDigest digest;
        bool stray = false;  // a version that the copy doubts
    };

    // Adds a subscriber, or takes `held` anew for one that is there. Nothing is sent yet; what it
    // holds is confirmed by the next offer() when it is what it would be shown.
    void add(const ServicePtr& service, const ListKey& key, const RegistId& id, const Held& held,
             const std::string& app);
    // Returns whether the service has subscribers left.
    bool remove(const Service& service, const ListKey& key, const RegistId& id);

    // The copy came from `from` to the version it has: what a subscriber holds between these never
    // led there, so it is a stray from now on. Returns these versions.
    std::set<Version> note_strays(const DatumCopy& copy, Version from);

    // A change came that began at `origin`: those who had what was before are timed.
    void note_change(const Service& service, MonoTime origin, MonoTime now);

    // Sends what is due of this service: to everybody, or to one connection.
    void offer(DatumCopy& copy, MonoTime now);
    void offer(DatumCopy& copy, env::ConnId conn, MonoTime now);

    // Returns whether something newer may be due.
    bool acknowledge(const Service& service, const ListKey& key, Version version, bool ok,
                     MonoTime now);

    // Services with pushes that were not acknowledged in time; offer() them again.
    [[nodiscard]] std::vector<ServicePtr> expire(MonoTime now);

    // Whether a push of this list is not acknowledged, or due.
    [[nodiscard]] bool busy(const Service& service, const ListKey& key) const;

    [[nodiscard]] const std::map<ListKey, List>* lists_of(const Service& service) const;
    [[nodiscard]] const Probe& probe() const {
        return probe_;
    }

private:
    struct PerService {
        ServicePtr service;
        std::map<ListKey, List> lists;
    };
    struct Deadline {
        MonoTime at;
        ServicePtr service;
        ListKey key;
        Version version;
    };
    // Pushes that can share one encoding, in an order that does not depend on addresses.
    struct ShareKey {
        std::size_t door = 0;
        Scope scope = Scope::zone;
        std::string zone;
        Version from;
        bool stray = false;
        auto operator<=>(const ShareKey&) const = default;
    };
    struct Share {
        msg::ClientPort* port = nullptr;
        ServiceViewPtr view;
        ViewDeltaPtr delta;
        std::vector<msg::PushTarget> targets;
    };
    using Shares = std::map<ShareKey, Share>;

    void collect(DatumCopy& copy, const ListKey& key, List& list, MonoTime now, Shares& shares);
    static void note_due(List& list, MonoTime now);
    void note_sent(List& list, const Service& service, Version version, MonoTime now);
    static void take_back(List& list);
    static void send(const Shares& shares);
    std::size_t door_number(const msg::ClientPort* port);

    Duration timeout_;
    PortOf port_of_;
    Stages& stages_;
    std::map<std::string, PerService> services_;  // by data_info_id
    std::deque<Deadline> deadlines_;
    std::vector<const msg::ClientPort*> doors_;  // numbered by first use
    Probe probe_;
};

}  // namespace muster::session
