#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/metrics.h"
#include "base/time.h"
#include "env/net.h"
#include "model/subscription.h"
#include "msg/client_port.h"
#include "roles/session/datum_copies.h"
#include "roles/session/lists.h"
#include "roles/session/push_options.h"
#include "roles/session/stages.h"

namespace muster::session {

// Tells subscribers. The push rule (design 2.4), for each list, which is one connection's:
//
//            changed                    acknowledged, nothing newer
//     idle ---------> in flight -----------------------------------> idle
//                      |  ^  changed meanwhile: remember only that
//                      +--+  acknowledged or timed out: send the newest
//
// A congested connection is passed over until it drains. Lists that are not complete are kept from
// doors that cannot show them as such. Who has just subscribed is told at once; of a change, more
// than updates_at_once of those who had a list before wait for the next turn, so that others are
// served meanwhile. Loop thread only. Bounds: one state per list, one turn's place per service.
class Pusher {
public:
    struct Probe {
        Counter pushes;
        Counter pushes_whole;
        Counter pushes_delta;
        Counter acknowledged;
        Counter refused;
        Counter timeouts;
        Counter skipped_congested;
        Counter held_back_incomplete;
        Counter acks_unasked;  // of what is not in flight: too late, or never sent
        Counter acks_ahead;    // of these, of versions above all that was sent
        Counter turns;         // taken for updates that were too many for one
        LatencyHistogram push_to_ack;
    };
    // The port of an open connection; null when it is closed.
    using PortOf = std::function<msg::ClientPort*(env::ConnId)>;

    Pusher(PushOptions options, PortOf port_of, Stages& stages)
        : options_(options), port_of_(std::move(port_of)), stages_(stages) {}

    // What a subscriber already has when it comes; version zero: nothing, or it cannot tell.
    struct Held {
        Version version;
        SetDigest digest;
        bool stray = false;  // a version that the copy doubts
    };

    // Adds a subscriber, or takes `held` anew for one that is there. Nothing is sent yet; what it
    // holds is confirmed by the next offer() when it is what it would be shown. Requires: the id
    // has no other list of that connection.
    void add(const ServicePtr& service, const ListKey& key, const RegistId& id, RegistOrder order,
             const Held& held);
    // Returns the service when it has no subscribers left.
    ServicePtr remove(env::ConnId conn, const RegistId& id);
    // The same of all of a connection.
    std::vector<ServicePtr> remove_all(env::ConnId conn);

    // The copy came from `from` to the version it has: what a subscriber holds between these never
    // led there, so it is a stray from now on. Returns these versions.
    std::set<Version> note_strays(const DatumCopy& copy, Version from);

    // A change came that began at `origin`: those who had what was before are timed.
    void note_change(const Service& service, MonoTime origin, MonoTime now);

    // Sends what is due of this service: to everybody, or to one connection at once.
    void offer(DatumCopy& copy, MonoTime now);
    void offer(DatumCopy& copy, env::ConnId conn, MonoTime now);

    // Updates wait for their turn: go_on() is to be called when all else was served.
    [[nodiscard]] bool wants_turn() const {
        return !queue_.empty();
    }
    using CopyOf = std::function<DatumCopy*(const Service&)>;
    void go_on(const CopyOf& copy_of, MonoTime now);

    // Returns whether something newer may be due.
    bool acknowledge(const Service& service, const ListKey& key, Version version, bool ok,
                     MonoTime now);

    // Services with pushes that were not acknowledged in time; offer() them again.
    [[nodiscard]] std::vector<ServicePtr> expire(MonoTime now);
    // Clients that were silent for too long, as expire() found; to be closed.
    [[nodiscard]] std::set<env::ConnId> take_silent() {
        return std::exchange(silent_, {});
    }

    // Whether a push of a list of this connection is not acknowledged, or due.
    [[nodiscard]] bool busy(env::ConnId conn) const;

    [[nodiscard]] const Lists& lists() const {
        return lists_;
    }
    [[nodiscard]] const Probe& probe() const {
        return probe_;
    }

private:
    // Pushes that can share one encoding, in an order that does not depend on addresses.
    struct ShareKey {
        std::size_t door = 0;
        Scope scope = Scope::zone;
        InternedText zone;
        Version from;
        bool stray = false;
        [[nodiscard]] friend bool operator<(const ShareKey& a, const ShareKey& b) {
            const auto order = [](const ShareKey& key) {
                return std::tuple(key.door, key.scope, key.zone.view(), key.from, key.stray);
            };
            return order(a) < order(b);
        }
    };
    struct Share {
        msg::ClientPort* port = nullptr;
        ServiceViewPtr view;
        ViewDeltaPtr delta;
        struct Target {
            env::ConnId conn;
            std::size_t ids_end = 0;
        };
        std::vector<Target> targets;
        std::vector<std::string_view> ids;  // of all of them, one after the other
    };
    using Shares = std::map<ShareKey, Share>;

    void go_on(ListsOfService& of, DatumCopy& copy, MonoTime now);
    bool collect(DatumCopy& copy, const Lists::Place& place, MonoTime now, Shares& shares);
    bool is_due(const DatumCopy& copy, const msg::ClientPort& port, const Lists::Place& place);
    void add_target(DatumCopy& copy, msg::ClientPort& port, const Lists::Place& place,
                    ListDetail& detail, Shares& shares);
    static void note_due(ListDetail& detail, MonoTime now);
    void note_sent(ListDetail& detail, const Service& service, Version version, MonoTime now);
    static void take_back(ListDetail& detail);
    static void send(const Shares& shares);
    std::size_t door_number(const msg::ClientPort* port);

    PushOptions options_;
    PortOf port_of_;
    Stages& stages_;
    Lists lists_;
    std::deque<ServicePtr> queue_;  // those `queued`, and some that have ended since
    std::size_t sent_in_turn_ = 0;
    std::set<env::ConnId> silent_;
    std::vector<const msg::ClientPort*> doors_;  // numbered by first use
    Probe probe_;
};

}  // namespace muster::session
