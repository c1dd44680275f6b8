#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/timers.h"
#include "model/datum.h"
#include "model/ids.h"
#include "model/publication.h"
#include "model/service.h"
#include "model/subscription.h"
#include "msg/client.h"

namespace muster::client {

// One connection, or attempt at one. The role numbers them upwards from 1, never twice, so that
// what an earlier connection still says is recognised.
using LinkId = Id<struct LinkIdTag, std::uint64_t>;

struct ClientOptions {
    // Where sessions are: "ip:port". Tried in a random order. May be empty until set_servers().
    std::vector<std::string> servers;
    // Unique among all processes (a UUID): registration ids are made of it and a count.
    std::string id_prefix;
    std::string zone{kDefaultZone};
    std::string app;

    Duration connect_timeout = std::chrono::seconds(3);
    // A request without a reply is sent again after so long; after three such in a row the server
    // is given up.
    Duration request_timeout = std::chrono::seconds(3);
    Duration heartbeat_interval = std::chrono::seconds(5);
    // Heartbeats in a row after which nothing was heard until the server is given up.
    std::uint32_t heartbeats_missed_max = 3;

    // The first attempt after a loss comes within [0, first_retry_spread], the n-th one after
    // [d/2, d] with d = min(retry_base * 2^n, retry_max). A connection that lasted `stable_after`
    // makes the next loss a first one again.
    Duration first_retry_spread = std::chrono::milliseconds(50);
    Duration retry_base = std::chrono::milliseconds(100);
    Duration retry_max = std::chrono::seconds(5);
    Duration stable_after = std::chrono::seconds(5);

    // A registration refused for a passing reason (Errc with `retryable`) is sent again after so
    // long, doubled up to retry_max while refusals go on.
    Duration resend_after = std::chrono::milliseconds(500);
    // A list or watch of which nothing was heard for so long is subscribed again with what is held:
    // the fallback for lost pushes. Zero: never.
    Duration poll_interval = std::chrono::seconds(30);
    // How long a list from the disk cache is held back in the hope of a fresh one.
    Duration cache_wait = std::chrono::milliseconds(500);
    // When asked to move, the new connection is begun within [0, move_spread]; the old one is
    // dropped when everything is registered at the new one, at the latest after move_drain_max.
    Duration move_spread = std::chrono::seconds(1);
    Duration move_drain_max = std::chrono::seconds(5);

    std::size_t registrations_max = 200'000;  // with those that are being unregistered
    std::size_t lists_max = 20'000;           // subscribed ones, and as many loaded ones
    std::size_t watches_max = 10'000;
    std::size_t publications_per_list_max = 1'000'000;
    std::size_t servers_max = 256;          // of a hint; more are sampled at random
    std::size_t open_requests_max = 64;     // what is beyond waits, merged
    std::size_t batch_items_max = 10'000;   // of one request
    std::size_t batch_bytes_max = 4 << 20;  // about, of one request
};

// The way to the servers. Every call is carried out later; nothing is called back from within.
// Runtime: bolt frames over a socket; simulator: messages with delay.
class ClientLink {
public:
    virtual ~ClientLink() = default;

    // Answered by on_link_up() or on_link_down() of `link`.
    virtual void connect(LinkId link, const std::string& server) = 0;
    virtual void send(LinkId link, msg::ClientMessage message) = 0;
    // Answered by on_heartbeat_ack().
    virtual void send_heartbeat(LinkId link) = 0;
    // Sends what is queued, then closes (also an attempt that is still going on). No on_link_down()
    // follows.
    virtual void disconnect(LinkId link) = 0;
};

enum class ClientState : std::uint8_t { stopped, disconnected, connecting, connected };

[[nodiscard]] std::string_view to_string(ClientState state);

// What is subscribed: lists of one service differ by scope and zone. An empty zone is the client's.
struct ListKey {
    Service service;
    Scope scope = Scope::data_center;
    std::string zone;

    [[nodiscard]] auto operator<=>(const ListKey&) const = default;
};

// A list as the client knows it. `view->complete` false: what is missing in it may well exist.
struct ListState {
    ServiceViewPtr view;  // null: nothing known yet
    // From an earlier life (disk cache) and not confirmed by a server since.
    bool stale = false;
    // When a server last said or confirmed it.
    WallTime as_of;
};

// A list for the disk cache.
struct ListSnapshot {
    ListKey key;
    ServiceViewPtr view;
    WallTime as_of;
};

struct ConfigState {
    bool known = false;                        // a server told it
    std::shared_ptr<const std::string> value;  // null: none is set
    Version version;
};

// Who is told. May call the ClientRole's face from within, but not destroy it.
class ClientObserver {
public:
    virtual ~ClientObserver() = default;

    // `list.view` is never null; its version never falls; it is empty only when `view->complete`.
    // The same version comes twice when a stale or incomplete list was confirmed.
    virtual void on_list(const ListKey& key, const ListState& list) = 0;
    virtual void on_config(const Service& key, const ConfigState& config) = 0;
    virtual void on_state(ClientState state, const std::string& server) = 0;
    // The server's answer to one state of a registration, or to its unregistration (`id` is
    // forgotten then). A failure that is not retryable stays until the registration is updated or
    // the connection changes.
    virtual void on_registered(const RegistId& id, std::int64_t version,
                               const Result<void>& result) = 0;
};

// What a client is given to live on.
struct ClientEnv {
    env::Clock& clock;
    env::Timers& timers;
    ClientLink& link;
    ClientObserver& observer;
    Prng prng;
    Log log;
};

// What is published. Empty zone and app: the client's.
struct PublicationSpec {
    Service service;
    std::vector<std::string> boxes;
    std::map<std::string, std::string> attributes;
    std::string zone;
    std::string app;
};

struct ClientStatus {
    ClientState state = ClientState::stopped;
    std::string server;  // connected or being connected to
    std::size_t registrations = 0;
    std::size_t unacknowledged =
        0;  // registrations and unregistrations the server has not answered
    std::size_t lists = 0;
    std::size_t watches = 0;
    std::size_t open_requests = 0;
};

// The client of a registry: keeper of one process's wishes, which it makes true on whichever
// session server it is connected to, and of the lists it was told.
//
//   stopped --start--> disconnected --timer--> connecting --up--> connected
//                           ^                      |                  |
//                           +------ failed, lost, silent -------------+
//
// Face calls only note the wish; it is sent at the next turn of the loop with what else was wished
// by then. After every (re)connect all registrations go out in one batch and all subscriptions in
// another, with what is held.
//
// Invariants:
//  1. A registration is resent until its newest state is acknowledged by the server of the present
//     connection; an unregistration until acknowledged by some server.
//  2. Order: version grows with every change, timestamp with every connection, both strictly for
//     one id, whatever the wall clock does.
//  3. A list's version never falls and a list is empty only when a server said so.
//  4. What arrives from another link than the current one changes nothing.
//
// Owned by the SDK or the simulator. Loop thread only. Bounds: ClientOptions.
class ClientRole final : public env::TimerTarget {
public:
    ClientRole(ClientOptions options, ClientEnv env);
    ~ClientRole() override;

    // Begins to connect. No effect when started.
    void start();
    // Disconnects and stays so until start(); wishes are kept.
    void stop();
    // Sends what is waiting now instead of at the next turn; for a process that is about to end.
    void flush();

    // ---- wishes (any time, connected or not)

    // Errors: invalid_argument (Service::make), over_limit.
    [[nodiscard]] Result<RegistId> register_publication(PublicationSpec spec);
    // Replaces the content; `spec.service` must be the registered one. Errors: not_found,
    // invalid_argument.
    [[nodiscard]] Result<void> update(const RegistId& id, PublicationSpec spec);
    // What no server was told of is forgotten without a word. Errors: not_found.
    [[nodiscard]] Result<void> unregister(const RegistId& id);
    void unregister_all();

    // Counted: the list is dropped with its last unsubscribe. A list that is already held is not
    // told again: see list(). Errors: invalid_argument (Service::make), over_limit.
    [[nodiscard]] Result<void> subscribe(const ListKey& key);
    // Errors: not_found.
    [[nodiscard]] Result<void> unsubscribe(const ListKey& key);

    // Counted as well. Errors: over_limit; not_found.
    [[nodiscard]] Result<void> watch_config(const Service& key);
    [[nodiscard]] Result<void> unwatch_config(const Service& key);

    // Replaces the known servers; the present connection stays.
    void set_servers(std::vector<std::string> servers);

    // ---- what is known

    [[nodiscard]] ListState list(const ListKey& key) const;
    [[nodiscard]] ConfigState config(const Service& key) const;
    [[nodiscard]] ClientStatus status() const;
    // Over which requests are sent now that are not the role's; zero: no server is connected.
    [[nodiscard]] LinkId link() const;
    // The present state of a registration, null when unknown.
    [[nodiscard]] PublicationPtr registration(const RegistId& id) const;
    void write_metrics(MetricsWriter& writer) const;

    // ---- disk cache

    // Subscribed lists, sorted by key, without those nothing is known of.
    [[nodiscard]] std::vector<ListSnapshot> export_lists() const;
    // Lists of an earlier life; each is shown, marked stale, when its service is subscribed and no
    // server told a fresher one within cache_wait. Only before start(). Over lists_max: the rest is
    // dropped.
    void import_lists(std::vector<ListSnapshot> lists);

    // ---- from the link

    void on_link_up(LinkId link);
    void on_link_down(LinkId link, const Error& why);
    void on_reply(LinkId link, const msg::RequestReply& reply);
    // The request was refused as a whole: every item of it gets `why`.
    void on_request_failed(LinkId link, msg::RequestId request, const Error& why);
    // With `delta` set, `view` tells service, version, completeness and digest; its publications
    // are not looked at.
    void on_push(LinkId link, const msg::Push& push);
    void on_config_push(LinkId link, const msg::ConfigPush& push);
    void on_hint(LinkId link, const msg::ServerHint& hint);
    void on_heartbeat_ack(LinkId link);

    void on_timer(env::TimerKey key) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::client
