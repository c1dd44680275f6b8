#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/prng.h"
#include "base/time.h"
#include "env/clock.h"
#include "env/disk.h"
#include "env/net.h"
#include "env/timers.h"
#include "model/cluster.h"
#include "msg/client.h"
#include "msg/client_port.h"
#include "msg/outbox.h"
#include "roles/node/node_view.h"
#include "roles/session/balancer.h"
#include "roles/session/change_limits.h"
#include "roles/session/client_face.h"
#include "roles/session/flap_damping.h"
#include "roles/session/handover.h"
#include "roles/session/push_options.h"
#include "roles/session/query_face.h"
#include "roles/session/waiting_room.h"
#include "store/removal_brake.h"

namespace muster::session {

struct SessionOptions {
    NodeId node;
    std::string center{kDefaultCenter};
    std::string address;       // "ip:port" that clients are told to connect to
    std::string peer_address;  // "ip:port" where other nodes reach it; empty: they cannot
    std::string zone;
    std::uint64_t folder = 0;  // names its data folder
    std::vector<NodeId> metas;
    Incarnation incarnation;
    Incarnation life_before;  // of this node; zero: its number is the one before `incarnation`

    Duration heartbeat_interval = std::chrono::milliseconds(250);
    // How long a request waits for a slot leader before it is answered as accepted.
    Duration write_wait = std::chrono::milliseconds(200);
    // The longest pause before what was not answered is said again.
    Duration resend_interval = std::chrono::milliseconds(500);
    // Who does not answer for so long cannot be reached: followers are asked to stand in.
    Duration unreachable_after = std::chrono::seconds(1);
    // How long the metas may be silent after a start before the kept table is used.
    Duration meta_wait = std::chrono::seconds(1);
    PushOptions push;
    // How long clients of an earlier life may need to come back (wire/bolt-hessian 4.3: a Java
    // client up to 10 s); until then lists that miss some of them are not called complete.
    Duration return_grace = std::chrono::seconds(14);
    // Names the machine's present run, so that what a killed life wrote without syncing is known to
    // be there; empty: never known, and the grace is always waited for.
    std::string boot;
    // The return roster is sealed when nothing came or went for so long.
    Duration roster_seal_delay = std::chrono::milliseconds(50);

    // When connections close without a word, or leases run out, beyond these limits, what they
    // owned is kept as suspect for suspect_patience: a load balancer's restart closes a thousand at
    // once.
    store::BrakeLimits brake{.window = std::chrono::seconds(10), .count = 20, .percent = 10};
    Duration suspect_patience = std::chrono::seconds(60);

    HandoverOptions handover;

    BalancerOptions balance;
    // How many clients this session shall serve in proportion to others that say it too; 0: as many
    // as they.
    std::size_t client_capacity = 0;

    std::size_t registrations_per_connection_max = 200'000;
    // How often publications may change, of one client (a connection; an address over HTTP) and of
    // one tenant.
    RateLimit client_changes{.per_second = 5000, .burst = 200'000};
    RateLimit tenant_changes{.per_second = 0, .burst = 200'000};
    FlapDampingOptions flap_damping;
    // How often a client, and all of a tenant, may subscribe anew.
    RateLimit client_subscribes{.per_second = 5000, .burst = 200'000};
    RateLimit tenant_subscribes{.per_second = 0, .burst = 200'000};
    // The same of queries: what is asked once and answered.
    RateLimit client_queries{.per_second = 5000, .burst = 200'000};
    RateLimit tenant_queries{.per_second = 0, .burst = 200'000};
    WaitingOptions waiting;  // requests that cannot be carried out at once
    std::size_t publication_bytes_max = 1 << 20;
    std::size_t boxes_per_publication_max = 10'000;
    std::size_t changes_kept_per_datum = 64;
};

// What a role is given to live on.
struct SessionEnv {
    env::Clock& clock;
    env::Timers& timers;
    msg::Outbox& outbox;
    Log log;
    // For the return roster and what is known of the cluster; null: neither is kept.
    env::Disk* disk = nullptr;
    // Told the members whenever other ones are known, also those an earlier life kept.
    std::function<void(const std::vector<Member>&)> on_members = {};
    Prng prng = Prng(1);  // which clients are sent to other sessions, and to which
};

// The SessionServer: owner of its clients' registrations (design 2.1: the source of truth for
// them), the way to the slot leaders, and the one who pushes.
//
//   door -> on_client_message -> registrations -> unacknowledged writes -> slot leader
//   slot leader -> ChangeBatch -> datum copies -> push -> ClientPort -> door
//
// Owned by the process; lives until it ends. Loop thread only. Bounds: see SessionOptions; every
// connection's registrations are counted, and one pending state per (connection, list) is kept.
class SessionServer final : public msg::Receiver,
                            public env::TimerTarget,
                            public env::DiskTarget,
                            public ClientFace,
                            public QueryFace {
public:
    SessionServer(SessionOptions options, SessionEnv env);
    ~SessionServer() override;

    // Reads whom an earlier life had, and begins to talk to the metas.
    void start();

    // Leaves politely: others are named to clients in its stead, and its clients are handed over to
    // them, whose publications stay until they are registered there. `gone` is called once, from a
    // turn of its own, when all are gone, the bound is reached, or there is nobody to go to; then
    // stop() and end. Its clients' connections are still served until then, new ones are refused.
    void leave(std::function<void()> gone);

    // The process is about to end, politely: what closes from now on is closed by us, so the return
    // roster keeps naming those clients.
    void stop();

    // ClientFace
    void on_client_open(env::ConnId conn, ClientInfo info, msg::ClientPort& port) override;
    void on_client_message(env::ConnId conn, const msg::ClientMessage& message) override;
    void on_client_drained(env::ConnId conn) override;
    void on_client_closed(env::ConnId conn) override;
    [[nodiscard]] const std::string& center() const override;
    [[nodiscard]] std::vector<std::string> server_list() const override;

    // QueryFace
    [[nodiscard]] SessionStatus status() const override;
    [[nodiscard]] Result<void> admit_query(const std::string& address,
                                           const std::string& tenant) override;
    [[nodiscard]] std::vector<ServerLoad> server_loads() const override;
    [[nodiscard]] std::vector<SubscriberInfo> subscribers_of(const Service& service) const override;
    [[nodiscard]] std::vector<FlappingInstance> flapping(std::size_t limit) const override;
    void query_services(std::uint64_t token, const msg::ListServices& query,
                        QueryPort& port) override;
    void put_config(std::uint64_t token, const Service& key, std::optional<std::string> value,
                    QueryPort& port) override;

    void write_metrics(MetricsWriter& writer) const;

    // What this node knows of the cluster: for who dials its members.
    [[nodiscard]] const node::NodeView& view() const;

    // ---- from the other roles and the clock

    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) override;
    void on_link(const NodeId& node, msg::LinkEvent event) override;
    void on_timer(env::TimerKey key) override;
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::session
