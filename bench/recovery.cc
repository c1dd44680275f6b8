#include "recovery.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "churn.h"
#include "cluster.h"
#include "peers.h"
#include "sockets.h"

namespace muster::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

double ms(Duration duration) {
    return static_cast<double>(duration.count()) / 1e6;
}

// A client that is never heard of again once its server is gone.
class MortalClient {
public:
    MortalClient(std::uint16_t port, const Churn& churn, const std::string& id)
        : connection_(port) {
        msg::RegisterPublishers request{.request = msg::RequestId(1)};
        for (std::size_t s = 0; s < churn.services(); ++s) {
            request.publications.push_back(publication({.data_id = churn.service(s)},
                                                       fmt::format("{}-{}", id, s), 1,
                                                       "127.0.0.1:12300?mortal=true"));
        }
        connection_.send(native_frame(request));
        while (!connection_.next_frame().head.is_response()) {
        }
    }

private:
    Connection connection_;
};

class Recovery {
public:
    Recovery(Report& report, const Effort& effort)
        : report_(report), effort_(effort), churn_(cluster_.servers(), {}) {}

    void run() {
        leader_killed();
        session_killed();
        meta_leader_killed();
        steady();
        load();
        idle();
        data_node_added();
        add_value("never", "false_removals", "lists", static_cast<double>(churn_.false_removals()),
                  0);
        add_value("never", "backward_versions", "lists",
                  static_cast<double>(churn_.backward_versions()), 0);
    }

private:
    void add_spread(const std::string& bench, const std::string& metric, std::vector<double> values,
                    double limit, bool on_p99 = false) {
        report_.add({.bench = bench,
                     .metric = metric,
                     .unit = "ms",
                     .spread = spread_of(std::move(values)),
                     .bound = bound(limit),
                     .bound_on_p99 = on_p99});
    }
    void add_value(const std::string& bench, const std::string& metric, const std::string& unit,
                   double value, double limit) {
        report_.add({.bench = bench,
                     .metric = metric,
                     .unit = unit,
                     .value = value,
                     .bound = bound(limit)});
    }
    [[nodiscard]] std::optional<Bound> bound(double limit) const {
        return effort_.judge ? std::optional(Bound{Bound::Kind::at_most, limit}) : std::nullopt;
    }

    // Back to three of three, and a moment of calm.
    void restore(Node& node) {
        cluster_.start(node);
        cluster_.await_balanced();
        churn_.run(milliseconds(500));
    }

    void leader_killed() {
        std::vector<double> flows;
        for (std::size_t i = 0; i < effort_.trials; ++i) {
            const auto nodes = cluster_.of("data");
            Node& node = *nodes[i % nodes.size()];
            churn_.run(milliseconds(200));
            const Duration killed = now();
            cluster_.kill(node);
            flows.push_back(ms(churn_.until_all_flow(killed)));
            restore(node);
        }
        add_spread("kill_slot_leader", "until_changes_flow", std::move(flows), 1500);
    }

    void session_killed() {
        std::vector<double> flows;
        std::vector<double> gone;
        for (std::size_t i = 0; i < effort_.trials; ++i) {
            const auto nodes = cluster_.of("session");
            Node& node = *nodes[i % nodes.size()];
            const std::string id = fmt::format("mortal-{}", i);
            const MortalClient mortal(node.client_port, churn_, id);
            churn_.run(milliseconds(500));
            const Duration killed = now();
            cluster_.kill(node);
            flows.push_back(ms(churn_.until_all_flow(killed)));
            gone.push_back(ms(churn_.until_gone(id, killed)));
            restore(node);
        }
        add_spread("kill_session", "until_changes_flow", std::move(flows), 1000);
        add_spread("kill_session", "until_dead_clients_gone", std::move(gone), 15'000);
    }

    void meta_leader_killed() {
        std::vector<double> moved;
        std::vector<double> delays;
        for (std::size_t i = 0; i < effort_.trials; ++i) {
            Node* leader = cluster_.leading_meta();
            if (leader == nullptr) {
                die("no meta leads");
            }
            static_cast<void>(churn_.take_delays_ms());
            const Duration killed = now();
            cluster_.kill(*leader);
            const std::string to = fmt::format("data-{}", 1 + i % 3);
            while (!cluster_.move_slot(i, to)) {
                if (now() - killed > seconds(60)) {
                    die("no slot could be moved within a minute");
                }
                churn_.run(milliseconds(20));
            }
            moved.push_back(ms(now() - killed));
            churn_.run(milliseconds(500));
            std::ranges::copy(churn_.take_delays_ms(), std::back_inserter(delays));
            restore(*leader);
        }
        add_spread("kill_meta_leader", "until_slot_can_move", std::move(moved), 2000);
        add_spread("kill_meta_leader", "push_delay", std::move(delays), 50, true);
    }

    // Load of a middling size on all copies, and how far followers are behind meanwhile.
    void steady() {
        static_cast<void>(churn_.take_delays_ms());
        churn_.run(effort_.judge ? seconds(10) : seconds(1));
        add_spread("steady", "push_delay", churn_.take_delays_ms(), 50, true);
    }

    void data_node_added() {
        static_cast<void>(churn_.take_delays_ms());
        Node& node = cluster_.add_data();
        const Duration begin = now();
        // Balanced: it leads its share.
        while (Cluster::metric_of(node, "muster_data_slots_led") < 256.0 / 4) {
            churn_.run(milliseconds(100));
            if (now() - begin > seconds(120)) {
                die("the new node did not get its share of slots in two minutes");
            }
        }
        cluster_.await_balanced();
        add_value("add_data_node", "until_balanced", "s", ms(now() - begin) / 1000, 120);
        add_spread("add_data_node", "push_delay", churn_.take_delays_ms(), 50, true);
    }

    // Publications that stay as they are.
    void load() {
        constexpr std::size_t kBatch = 500;
        const auto sessions = cluster_.of("session");
        for (std::size_t done = 0; done < effort_.publications; done += kBatch) {
            const std::size_t batch = done / kBatch;
            if (batch < sessions.size()) {
                idle_clients_.push_back(std::make_unique<Connection>(sessions[batch]->client_port));
            }
            const Connection& connection = *idle_clients_[batch % idle_clients_.size()];
            msg::RegisterPublishers request{.request = msg::RequestId(batch + 1)};
            for (std::size_t i = 0; i < kBatch; ++i) {
                request.publications.push_back(
                    publication({.data_id = fmt::format("bench.idle.{}", (done + i) / 10)},
                                fmt::format("idle-{}", done + i), 1, "127.0.0.1:12400?weight=50"));
            }
            connection.send(native_frame(request));
            while (!idle_clients_[batch % idle_clients_.size()]->next_frame().head.is_response()) {
            }
        }
    }

    // What the nodes say to each other when nothing happens.
    // Short: the connections of the load say nothing either, and are closed as idle in the end.
    void idle() {
        ::sleep(2);
        constexpr int kSeconds = 6;
        const double before = cluster_.metric_of_all("muster_link_sent_bytes_total");
        ::sleep(kSeconds);
        const double after = cluster_.metric_of_all("muster_link_sent_bytes_total");
        add_value("idle", "control_traffic", "kB/s", (after - before) / 1000 / kSeconds, 50);
    }

    Report& report_;
    Effort effort_;
    Cluster cluster_{ClusterSize{}};
    Churn churn_;
    std::vector<std::unique_ptr<Connection>> idle_clients_;
};

}  // namespace

void run_recovery(Report& report, const Effort& effort) {
    Recovery(report, effort).run();
}

}  // namespace muster::bench
