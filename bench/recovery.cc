#include "recovery.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "churn.h"
#include "client_frames.h"
#include "cluster.h"
#include "histogram.h"
#include "idle_clients.h"
#include "link_traffic.h"
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
                                                       "127.0.0.1:12300?mortal=" + id));
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
        idle();
        data_node_added();
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
    // What no fault may cause, since the last verdict.
    void add_verdict(const std::string& bench) {
        const Verdict verdict = churn_.take_verdict();
        const auto add = [&](const std::string& metric, std::uint64_t count) {
            report_.add({.bench = bench,
                         .metric = metric,
                         .unit = "lists",
                         .value = static_cast<double>(count),
                         .bound = Bound{Bound::Kind::at_most, 0}});
        };
        add("false_removals", verdict.false_removals);
        add("lost", verdict.lost);
        add("resurrected", verdict.resurrected);
        add("versions_backward", verdict.backward);
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
        add_verdict("kill_slot_leader");
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
        add_verdict("kill_session");
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
        add_verdict("kill_meta_leader");
    }

    [[nodiscard]] Histogram follower_lag() {
        Histogram lag;
        for (const Node* node : cluster_.of("data")) {
            lag.add(http_get(node->http_port, "/metrics").body, "muster_data_follower_lag_seconds");
        }
        return lag;
    }

    // How long pushes take, and how far followers are behind, while nothing fails. Followers
    // acknowledge what they took 2 ms later, which is in the lag.
    void steady() {
        static_cast<void>(churn_.take_delays_ms());
        const Histogram before = follower_lag();
        churn_.run(effort_.judge ? seconds(30) : seconds(1));
        Histogram lag = follower_lag();
        lag.take_off(before);
        add_spread("steady", "push_delay", churn_.take_delays_ms(), 50, true);
        const auto at_most = [&](double share) { return lag.at_most(share) * 1000; };
        report_.add({.bench = "steady",
                     .metric = "follower_lag_at_most",
                     .unit = "ms",
                     .spread = Spread{.min = at_most(0),
                                      .p50 = at_most(0.5),
                                      .p99 = at_most(0.99),
                                      .p999 = at_most(0.999),
                                      .max = at_most(1),
                                      .count = static_cast<std::size_t>(lag.count())},
                     .bound = bound(10),
                     .bound_on_p99 = true});
        add_verdict("steady");
    }

    // What the nodes say to each other when nothing happens, with few and with many publications.
    void idle() {
        const std::size_t all = effort_.publications;
        idle_clients_.connect(cluster_.of("session"), std::max<std::size_t>(all / 500, 2));
        idle_clients_.publish(all / 10, 10);
        const double few = idle_traffic(all / 10);
        idle_clients_.publish(all - all / 10, 10);
        const double many = idle_traffic(all);
        report_.add({.bench = "idle",
                     .metric = "traffic_of_10_times_the_publications",
                     .unit = "x",
                     .value = many / few,
                     .bound = bound(1.05)});
        add_verdict("idle");
    }

    // In kB/s, without the headers of TCP and IP.
    double idle_traffic(std::size_t publications) {
        const unsigned window_s = effort_.judge ? 30 : 2;
        ::sleep(effort_.judge ? 5 : 1);
        const LinkTraffic before = link_traffic(cluster_);
        const Duration begin = now();
        ::sleep(window_s);
        const LinkTraffic said = link_traffic(cluster_) - before;
        const double passed_s = ms(now() - begin) / 1000;
        const std::string bench = fmt::format("idle_{}", publications);
        const double frames_kb = said.frame_bytes / 1000 / passed_s;
        add_value(bench, "control_traffic", "kB/s", frames_kb, 50);
        report_.add({.bench = bench,
                     .metric = "control_traffic_with_tcp_ip",
                     .unit = "kB/s",
                     .value = said.wire_bytes / 1000 / passed_s});
        report_.add({.bench = bench,
                     .metric = "segments",
                     .unit = "1/s",
                     .value = said.segments / passed_s});
        return frames_kb;
    }

    void data_node_added() {
        std::vector<double> balanced;
        std::vector<double> delays;
        for (std::size_t i = 0; i < effort_.trials; ++i) {
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
            balanced.push_back(ms(now() - begin) / 1000);
            std::ranges::copy(churn_.take_delays_ms(), std::back_inserter(delays));
            cluster_.remove(node);
            cluster_.await_balanced();
        }
        report_.add({.bench = "add_data_node",
                     .metric = "until_balanced",
                     .unit = "s",
                     .spread = spread_of(std::move(balanced)),
                     .bound = bound(120)});
        add_spread("add_data_node", "push_delay", std::move(delays), 50, true);
        add_verdict("add_data_node");
    }

    Report& report_;
    Effort effort_;
    Cluster cluster_{ClusterSize{}};
    Churn churn_;
    IdleClients idle_clients_;
};

}  // namespace

void run_recovery(Report& report, const Effort& effort) {
    Recovery(report, effort).run();
}

}  // namespace muster::bench
