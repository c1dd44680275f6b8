#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/datum.h"
#include "model/publication.h"
#include "model/subscription.h"
#include "sim/checkers/violations.h"
#include "sim/world/scheduler.h"

namespace muster::sim {

// A list somebody subscribes to. `id` tells apart what one client asks twice.
struct Listener {
    std::string client;
    std::string id;
    Service service;
    Scope scope = Scope::data_center;
    std::string zone;
    bool tells_held = true;  // its client can say to a session what version it has

    [[nodiscard]] auto operator<=>(const Listener&) const = default;
    [[nodiscard]] std::string text() const;
};

// What a listener sees, and which session told it.
struct Shown {
    std::string server;
    std::uint64_t life = 0;  // of that server
    Version version;
    bool complete = false;
    std::map<RegistId, PublicationPtr> publications;

    [[nodiscard]] static Shown of(const ServiceView& view, std::string server, std::uint64_t life);
};

enum class Ending : std::uint8_t {
    none,
    left,    // its client said so, on a connection that was up
    closed,  // its client was killed, and its connections closed with it
    silent,  // its machine went, and nobody was told
};

// A publication as its client knows it: what is true, whatever the registry thinks.
struct TruePublication {
    RegistId id;
    Service service;
    std::string zone;
    std::string client;
    std::vector<std::string> contents;  // each state's only box, oldest first; all differ
    Ending ending = Ending::none;
    MonoTime ended_at;
    bool drained = false;  // an operator said so: no list need show it
    // When its disappearance was last the fault of its client's own connection: see excuse().
    std::optional<MonoTime> excused_at;
    // When its client was last known, or may have been, to two sessions: see excuse_return().
    std::optional<MonoTime> doubled_at;

    [[nodiscard]] bool live() const {
        return ending == Ending::none;
    }
};

class Checker;

// What clients did and saw: the book that checkers read. Clients write it, nobody else.
class Truth {
public:
    Truth(const Scheduler& scheduler, Violations& violations)
        : scheduler_(scheduler), violations_(violations) {}

    void add(Checker& checker) {
        checkers_.push_back(&checker);
    }

    // ---- publishers
    void published(const RegistId& id, const Service& service, const std::string& zone,
                   const std::string& client, const std::string& content);
    void updated(const RegistId& id, const std::string& content);
    void ended(const RegistId& id, Ending how);
    void client_died(const std::string& client, Ending how);
    // An operator takes it out of the lists, or is about to; shows it again.
    void drained(const RegistId& id) {
        publications_.at(id).drained = true;
    }
    void restored(const RegistId& id) {
        publications_.at(id).drained = false;
    }
    // A living session lost the connection of this client, or the client did not come back to a new
    // session within its grace: for kExcused its publications may disappear although they live.
    void excuse(const std::string& client);
    // A session this client left may not know of it: for kExcused it may bring back what ended.
    void excuse_return(const std::string& client);
    // Some nodes cannot hear each other now: see crossed().
    void nodes_cut();

    // ---- subscribers
    void subscribed(const Listener& listener);
    void unsubscribed(const Listener& listener);
    void pushed(const Listener& listener, const Shown& what);
    void shown(const Listener& listener, Shown what);

    // ---- configuration
    void watching(const std::string& client, const std::string& key);
    void unwatched(const std::string& client, const std::string& key);
    void config_shown(const std::string& client, const std::string& key, std::string value);
    void config_put(const std::string& key, std::string value);

    // ---- for checkers
    static constexpr Duration kExcused = std::chrono::seconds(30);
    // So long after a cut healed each side knows what the other one knew.
    static constexpr Duration kReunited = std::chrono::seconds(10);

    [[nodiscard]] MonoTime now() const {
        return scheduler_.now();
    }
    [[nodiscard]] bool excused(const TruePublication& publication) const;
    [[nodiscard]] bool return_excused(const TruePublication& publication) const;
    // Whether `listener` came to another session, or to another life of it, while nodes were cut
    // from each other, or shortly after, and that is not kReunited ago. Its new session may then
    // not have heard what it was shown before, and both sides work on: nobody there could know
    // better, nor may the session keep back what it does know.
    [[nodiscard]] bool crossed(const Listener& listener) const;
    // Nodes are cut from each other, or were kReunited ago.
    [[nodiscard]] bool reuniting() const;
    [[nodiscard]] const std::map<RegistId, TruePublication>& publications() const {
        return publications_;
    }
    // Null: nothing shown yet.
    [[nodiscard]] const std::map<Listener, std::optional<Shown>>& listeners() const {
        return listeners_;
    }
    // By (client, key): the value seen, nothing when none was told yet.
    [[nodiscard]] const std::map<std::pair<std::string, std::string>, std::optional<std::string>>&
    watches() const {
        return watches_;
    }
    [[nodiscard]] const std::map<std::string, std::string>& configs() const {
        return configs_;
    }
    // What `listener` should see now.
    [[nodiscard]] std::map<RegistId, std::string> expected(const Listener& listener) const;
    [[nodiscard]] std::size_t views_shown() const {
        return views_shown_;
    }

    void report(std::string invariant, std::string what, std::vector<std::string> words) {
        violations_.report(std::move(invariant), std::move(what), std::move(words));
    }

private:
    const Scheduler& scheduler_;
    Violations& violations_;
    std::vector<Checker*> checkers_;
    std::map<RegistId, TruePublication> publications_;
    std::map<Listener, std::optional<Shown>> listeners_;
    std::map<std::pair<std::string, std::string>, std::optional<std::string>> watches_;
    std::map<std::string, std::string> configs_;
    std::optional<MonoTime> cut_at_;           // when nodes were last known to be cut
    std::map<Listener, MonoTime> crossed_at_;  // only of those that are excused
    std::size_t views_shown_ = 0;
};

// Judges what the book says. One class and file for each invariant.
class Checker {
public:
    explicit Checker(Truth& truth) : truth_(truth) {
        truth.add(*this);
    }
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;
    virtual ~Checker() = default;

    // A push reached the client, whatever it does with it. `held` is null when it had nothing.
    virtual void on_pushed(const Listener&, const Shown* /*held*/, const Shown& /*pushed*/) {}
    // The client's view changed.
    virtual void on_shown(const Listener&, const Shown* /*before*/, const Shown& /*now*/) {}
    // Now and then.
    virtual void step() {}
    // Faults have stopped and the bound for convergence is over.
    virtual void at_rest() {}

protected:
    Truth& truth_;
};

}  // namespace muster::sim
