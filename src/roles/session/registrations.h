#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "env/net.h"
#include "model/asked_by.h"
#include "model/ids.h"
#include "model/publication.h"
#include "msg/cluster.h"
#include "roles/session/flap_damping.h"
#include "roles/session/return_roster.h"

namespace muster::session {

// The publications of this session's clients: the source of truth for them (design 2.1).
//
// Invariants:
//  1. Of one registration id the newest state by the client's order is held; what is older changes
//     nothing (I8).
//  2. Each publication belongs to one live connection, or to none while its lease runs. Losing a
//     connection removes exactly what it still owns. Ownership moves to later connections only:
//     what an earlier one still says of it was said before its client moved on, and changes
//     nothing.
//  3. Every change is numbered upwards (owner_seq) over the life of the session.
//  4. digest(slot) is over exactly the publications of that slot, once set_slot_count() was called,
//     damped ones aside.
//  5. The roster is told of every id that is held from now on, or no longer.
//  6. Of what is damped leaders are told nothing but its end, until release_damped() says it.
// Loop thread only. Bounds: the caller limits registrations per connection; removed ids are
// remembered for kGraveAge, at most kGravesMax of them.
class Registrations {
public:
    static constexpr Duration kGraveAge = std::chrono::seconds(60);
    static constexpr std::size_t kGravesMax = 100'000;
    static constexpr std::size_t kGravesAtOnce = 5'000;

    using Op = msg::PublishBatch::Op;

    struct Digest {
        SetDigest digest;
        std::uint32_t count = 0;
    };

    // Both may be null; else they live as long. Without `damping` nothing is damped.
    explicit Registrations(ReturnRoster* roster = nullptr, FlapDamping* damping = nullptr)
        : roster_(roster), damping_(damping) {}

    // A connection begins; later ones outrank it.
    void open_connection(env::ConnId conn) {
        conn_numbers_[conn] = ++last_conn_;
    }

    // What a registration would be to us: known already or older; one that we do not know of this
    // connection, or that left without a word; or a change of what we know.
    enum class News : unsigned char { none, first, change };
    [[nodiscard]] News news_of(const Publication& offered, env::ConnId conn) const;

    // Takes a client's registration. Returns what the slot leader must be told, or nothing when it
    // is known already or older, or damped. `conn` owns it from now on; with a lease nobody does.
    // Errors: conflict when the id stands for another service.
    Result<std::optional<Op>> offer(const PublicationPtr& publication, env::ConnId conn,
                                    Duration lease, MonoTime now);

    // Its client is there, though what it says is not taken: what has a lease keeps it.
    void keep_lease(const RegistId& id, MonoTime now);

    // Polite leaving. Returns what the leader must be told: also for an unknown id, which another
    // session may know; nothing when it is older than what is known, or the id stands for another
    // service.
    std::optional<Op> withdraw(const RegistId& id, const ServicePtr& service, RegistOrder order,
                               MonoTime now);

    // Its client moved on and is held by others: it goes without a word to the leader, unless
    // something was taken of it after `owner_seq`. Returns whether it went.
    bool let_go(const RegistId& id, std::uint64_t owner_seq);

    [[nodiscard]] std::vector<Op> drop_connection(env::ConnId conn, MonoTime now);
    // The connection is lost, but what it owned stays for `grace`: its client may be on its way
    // back.
    void release_connection(env::ConnId conn, Duration grace, MonoTime now);
    // The same, of a client that was sent elsewhere: its silence here is no sign of its end.
    void depart_connection(env::ConnId conn, Duration grace, MonoTime now);
    // The same, and the client is suspected to be gone: kept for `patience` unless it is heard
    // again.
    void suspect_connection(env::ConnId conn, Duration patience, MonoTime now);

    // Publications nobody renewed in time. `may_go` is asked about each whose lease ran out
    // (suspects aside, whose time is over for good, and those that departed), with how many leased
    // ones live, it included; those that may not are suspects for `patience` more.
    using MayGo = std::function<bool(std::size_t living)>;
    [[nodiscard]] std::vector<Op> expire_leases(MonoTime now, const MayGo& may_go,
                                                Duration patience);

    // An operator knows better: suspects are gone at once, by that word, or are given `patience`
    // anew.
    [[nodiscard]] std::vector<Op> drop_suspects(MonoTime now, OperatorWord word);
    void extend_suspects(Duration patience, MonoTime now);
    [[nodiscard]] std::size_t suspects() const {
        return suspects_;
    }
    // Of clients that were sent elsewhere.
    [[nodiscard]] std::size_t departed() const {
        return departed_;
    }
    // When the last of the suspects goes, at the latest.
    [[nodiscard]] MonoTime suspects_end() const {
        return suspects_end_;
    }

    // What is damped: taken, but no leader is told of it.
    struct Damped {
        MonoTime since;
        MonoTime shown_at;  // the earliest time
    };
    // Those that were there for their hold, and whose clients are not suspected to be gone nor sent
    // elsewhere: leaders are to be told.
    [[nodiscard]] std::vector<Op> release_damped(MonoTime now);
    [[nodiscard]] std::size_t damped() const {
        return damped_.size();
    }
    void for_each_damped(const std::function<void(const Publication&, const Damped&)>& visit) const;

    // After a pause of our own, leases get the time back.
    void extend_leases(Duration gap);
    // At most kGravesAtOnce.
    void forget_old_graves(MonoTime now);

    // Hashes to slots from now on.
    void set_slot_count(std::size_t count);
    [[nodiscard]] Digest digest(SlotId slot) const;

    // What went lately from these slots, to be told to who serves them from now on: its copy may
    // not know of it, and another session may still hold an earlier state, or have it on its way.
    // What was only lost has an owner_seq of zero: it takes nothing that this session told.
    [[nodiscard]] std::vector<Op> went_lately(const std::set<SlotId>& slots);

    // The present state of one registration; nothing when it is not held, or damped.
    [[nodiscard]] std::optional<Op> state_of(const RegistId& id) const;
    // The states of all publications that are not damped, in the order of their ids.
    void for_each(const std::function<void(const Op&)>& visit) const;
    // The same of those above `after`, until `visit` returns false.
    void for_each_after(const RegistId& after, const std::function<bool(const Op&)>& visit) const;

    [[nodiscard]] std::size_t size() const {
        return registrations_.size();
    }
    [[nodiscard]] std::size_t owned_by(env::ConnId conn) const;
    // Connections that own some.
    [[nodiscard]] std::size_t owners() const {
        return by_conn_.size();
    }
    [[nodiscard]] std::size_t leased() const {
        return leased_.size() - suspects_;
    }
    [[nodiscard]] std::uint64_t stamp() const {
        return last_seq_;
    }

private:
    struct Registration {
        PublicationPtr publication;
        env::ConnId conn;
        Duration lease{};
        MonoTime heard;
        std::uint64_t owner_seq = 0;
        bool suspect = false;   // its client is probably gone; kept while its lease runs
        bool departed = false;  // its client was sent to another session; the same
        bool damped = false;    // and in damped_
    };
    struct Grave {
        ServicePtr service;
        RegistOrder order;
        RemovalCause cause = RemovalCause::left;
        MonoTime since;
    };

    using Held = std::pair<const RegistId, Registration>;  // of registrations_
    // Ids of registrations_, which stay where they are: the ids themselves are there once.
    struct ByValue {
        [[nodiscard]] bool operator()(const RegistId* a, const RegistId* b) const {
            return *a < *b;
        }
    };
    using Owned = std::set<const RegistId*, ByValue>;

    [[nodiscard]] static Op state(const Registration& registration);
    // Whether it is to be damped, which was not there.
    [[nodiscard]] bool damps(const Publication& offered, MonoTime now);
    // The leader is to be told of it as it is now.
    [[nodiscard]] Op tell(Registration& registration);
    // Whether `conn` began before the connection that owns the registration.
    [[nodiscard]] bool outranked(env::ConnId conn, const Registration& registration) const;
    // The order under which a registration is taken; nothing when it is older than what is known:
    // `registration` (null: none), or what is remembered of it.
    [[nodiscard]] std::optional<RegistOrder> effective_order(
        const Publication& offered, env::ConnId conn, const Registration* registration) const;
    void erase(std::map<RegistId, Registration>::iterator found);
    [[nodiscard]] Op removal(std::map<RegistId, Registration>::iterator found, RemovalCause cause,
                             RegistOrder order, MonoTime now);
    void hold(Held& held, env::ConnId conn, Duration lease, MonoTime now);
    void own(Held& held, env::ConnId conn);
    void suspect(Registration& registration, bool yes);
    void depart(Registration& registration, bool yes);
    [[nodiscard]] std::vector<Op> remove_silent(const std::vector<RegistId>& ids, MonoTime now);
    void bury(const RegistId& id, const Grave& grave);
    void forget_oldest_grave();
    [[nodiscard]] SlotId slot_of_grave(const Grave& grave) const;
    void count(const Registration& registration);
    void uncount(const Registration& registration);

    ReturnRoster* roster_;
    FlapDamping* damping_;
    std::map<RegistId, Registration> registrations_;
    std::map<env::ConnId, Owned> by_conn_;
    std::map<env::ConnId, std::uint64_t> conn_numbers_;  // in the order of their beginning
    std::uint64_t last_conn_ = 0;
    std::set<RegistId> leased_;  // suspects as well
    std::size_t suspects_ = 0;
    std::size_t departed_ = 0;
    MonoTime suspects_end_;
    std::map<RegistId, Damped> damped_;
    std::unordered_map<RegistId, Grave> graves_;
    struct Aged {
        MonoTime since;
        RegistId id;
        SlotId slot;
    };
    std::deque<Aged> grave_ages_;
    std::vector<Digest> digests_;  // by slot
    std::uint64_t last_seq_ = 0;
};

}  // namespace muster::session
