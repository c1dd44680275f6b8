#include "coefficients.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "client_frames.h"
#include "cluster.h"
#include "idle_clients.h"
#include "link_traffic.h"
#include "watcher.h"

namespace muster::bench {
namespace {

constexpr std::size_t kPerService = 10;
// Times as many as are measured are there before, so that the logs of all slots are full.
constexpr std::size_t kFilling = 4;
constexpr std::size_t kChangedServices = 50;

double rss_of(const std::vector<Node*>& nodes) {
    double sum = 0;
    for (const Node* node : nodes) {
        sum += static_cast<double>(node->process->rss_bytes());
    }
    return sum;
}

double cpu_of(const std::vector<Node*>& nodes) {
    double sum = 0;
    for (const Node* node : nodes) {
        sum += node->process->cpu_seconds();
    }
    return sum;
}

void rest(double seconds) {
    ::usleep(static_cast<useconds_t>(seconds * 1e6));
}

std::vector<Service> idle_services(std::size_t first, std::size_t count, std::size_t per_service) {
    std::vector<Service> services;
    for (std::size_t i = 0; i < count; ++i) {
        services.push_back({.data_id = IdleClients::service(first + i * per_service, per_service)});
    }
    return services;
}

// Changes that come alone, at a steady pace: one publisher at one session, one subscriber at
// another one.
class Changes {
public:
    Changes(std::uint16_t publisher_port, std::uint16_t subscriber_port)
        : publisher_(publisher_port), watcher_(subscriber_port) {
        std::vector<Service> services;
        for (std::size_t i = 0; i < kChangedServices; ++i) {
            services.push_back({.data_id = fmt::format("com.example.bench.Changed{}", i)});
        }
        services_ = services;
        run(kChangedServices, std::chrono::microseconds(500));
        watcher_.subscribe(services);
    }

    // Returns when the subscriber was shown what came of it.
    void run(std::size_t count, Duration pace) {
        Duration due = now();
        for (std::size_t i = 0; i < count; ++i, due += pace) {
            const Service& service = services_[version_ % services_.size()];
            ++version_;
            msg::RegisterPublishers request{.request = msg::RequestId(version_)};
            request.publications.push_back(
                publication(service, "6fa459ea-ee8a-3ca4-894e-" + service.data_id,
                            static_cast<std::int64_t>(version_),
                            fmt::format("10.1.2.3:12200?weight={}", version_)));
            publisher_.send(native_frame(request));
            do {
                publisher_.drain([](const bolt::Frame&) {});
                watcher_.drain();
                if (now() < due) {
                    ::usleep(100);
                }
            } while (now() < due);
        }
        rest(0.5);
        watcher_.drain();
    }

private:
    Connection publisher_;
    Watcher watcher_;
    std::vector<Service> services_;
    std::uint64_t version_ = 0;
};

// What changes cost the processes of one cluster.
struct ChangeCost {
    double publisher_us = 0;
    double data_us = 0;
    double subscriber_us = 0;
    double bytes = 0;
};

ChangeCost cost_of_changes(Cluster& cluster, const Effort& effort) {
    const std::size_t count = effort.judge ? 20'000 : 500;
    const Duration pace = std::chrono::microseconds(500);
    const auto sessions = cluster.of("session");
    const std::vector<Node*> publisher{sessions[0]};
    const std::vector<Node*> subscriber{sessions[1]};
    const auto data = cluster.of("data");
    Changes changes(sessions[0]->client_port, sessions[1]->client_port);

    struct Reading {
        double publisher;
        double data;
        double subscriber;
        double bytes;
        Duration at;
    };
    const auto read = [&] {
        return Reading{cpu_of(publisher), cpu_of(data), cpu_of(subscriber),
                       link_traffic(cluster).frame_bytes, now()};
    };
    // What the processes do anyhow is taken off.
    const Reading begin = read();
    rest(effort.judge ? 5 : 0.5);
    const Reading still = read();
    changes.run(count, pace);
    const Reading end = read();
    const double times = static_cast<double>((end.at - still.at).count()) /
                         static_cast<double>((still.at - begin.at).count());
    const auto each = [&](double Reading::* what) {
        const double at_rest = (still.*what - begin.*what) * times;
        return (end.*what - still.*what - at_rest) / static_cast<double>(count);
    };
    return {.publisher_us = each(&Reading::publisher) * 1e6,
            .data_us = each(&Reading::data) * 1e6,
            .subscriber_us = each(&Reading::subscriber) * 1e6,
            .bytes = each(&Reading::bytes)};
}

// One data server, which leads everything: what a session and a leader hold.
void measure_one_copy(Coefficients& found, const Effort& effort) {
    Cluster cluster({.metas = 1, .data = 1, .sessions = 2});
    const auto count = static_cast<double>(effort.publications);
    const auto sessions = cluster.of("session");
    const std::vector<Node*> owner{sessions[0]};
    const std::vector<Node*> other{sessions[1]};
    const auto data = cluster.of("data");
    found.meta_base = rss_of(cluster.of("meta"));
    found.data_base = rss_of(data);
    found.session_base = rss_of(owner);

    IdleClients crowd;
    const std::size_t connections = effort.judge ? 2000 : 50;
    const double before_crowd = rss_of(other);
    crowd.connect(other, connections);
    rest(7);  // each has sent a heartbeat
    found.connection = (rss_of(other) - before_crowd) / static_cast<double>(connections);

    IdleClients idle;
    idle.connect(owner, 200);
    rest(1);
    const double data_empty = rss_of(data);
    idle.publish(kFilling * effort.publications, kPerService);
    rest(3);
    const double owner_before = rss_of(owner);
    const double data_before = rss_of(data);
    idle.publish(effort.publications, kPerService);
    rest(3);
    found.session_publication = (rss_of(owner) - owner_before) / count;
    found.leader_publication = (rss_of(data) - data_before) / count;
    const double filling = kFilling * count * found.leader_publication;
    found.slot_log = std::max(0.0, data_before - data_empty - filling) / Cluster::kSlots;

    // Lists of ten, then lists of one, then all of those once more.
    const std::size_t published = (kFilling + 1) * effort.publications;
    const std::size_t tens = effort.publications / kPerService;
    const std::size_t ones = effort.publications / 5;
    idle.publish(ones, 1);
    rest(3);
    Watcher first(sessions[1]->client_port);
    const auto watch = [&](Watcher& watcher, const std::vector<Service>& services) {
        const double session_before = rss_of(other);
        const double leader_before = rss_of(data);
        watcher.subscribe(services);
        rest(2);
        const auto per = static_cast<double>(services.size());
        return std::pair{(rss_of(other) - session_before) / per,
                         (rss_of(data) - leader_before) / per};
    };
    const auto lists_of_one = idle_services(published, ones, 1);
    const auto [of_ten, interest_of_ten] = watch(first, idle_services(0, tens, kPerService));
    const auto [of_one, interest_of_one] = watch(first, lists_of_one);
    Watcher second(sessions[1]->client_port);
    const auto [again, no_interest] = watch(second, lists_of_one);
    found.watched_publication = (of_ten - of_one) / (kPerService - 1);
    found.watched_service = of_one - found.watched_publication;
    found.subscription = again;
    found.interest = (interest_of_ten + interest_of_one) / 2;
}

// What a follower holds: two data servers have two copies of everything.
void measure_second_copy(Coefficients& found, const Effort& effort) {
    Cluster cluster({.metas = 1, .data = 2, .sessions = 2});
    IdleClients idle;
    idle.connect(cluster.of("session"), 200);
    idle.publish(kFilling * effort.publications, kPerService);
    rest(5);
    const double before = rss_of(cluster.of("data"));
    idle.publish(effort.publications, kPerService);
    rest(5);
    const double per_publication =
        (rss_of(cluster.of("data")) - before) / static_cast<double>(effort.publications);
    found.follower_publication = per_publication - found.leader_publication;
}

// One data server and two: what a follower adds.
void measure_changes(Coefficients& found, const Effort& effort) {
    ChangeCost alone;
    {
        Cluster cluster({.metas = 1, .data = 1, .sessions = 2});
        alone = cost_of_changes(cluster, effort);
    }
    Cluster cluster({.metas = 1, .data = 2, .sessions = 2});
    const ChangeCost followed = cost_of_changes(cluster, effort);
    found.publisher_cpu = followed.publisher_us;
    found.subscriber_cpu = followed.subscriber_us;
    found.leader_cpu = alone.data_us;
    found.follower_cpu = followed.data_us - alone.data_us;
    found.change_bytes = followed.bytes;
}

struct Rest {
    double data_cpu_s = 0;
    double data_frames = 0;  // received
    LinkTraffic traffic;
    double seconds = 0;
};

Rest measure_rest(std::size_t sessions, const Effort& effort) {
    Cluster cluster({.metas = 1, .data = 2, .sessions = sessions});
    const auto data = cluster.of("data");
    const auto frames = [&] {
        double sum = 0;
        for (const Node* node : data) {
            sum += Cluster::metric_of(*node, "muster_link_received_frames_total");
        }
        return sum;
    };
    rest(effort.judge ? 5 : 1);
    const LinkTraffic before = link_traffic(cluster);
    const double frames_before = frames();
    const double cpu_before = cpu_of(data);
    const Duration begin = now();
    rest(effort.judge ? 20 : 1);
    const double passed = static_cast<double>((now() - begin).count()) / 1e9;
    const double cpu = cpu_of(data) - cpu_before;
    return {.data_cpu_s = cpu / passed,
            .data_frames = (frames() - frames_before) / passed,
            .traffic = link_traffic(cluster) - before,
            .seconds = passed};
}

// Few sessions and many: what each frame costs beyond what a process costs anyhow.
void measure_frames(Coefficients& found, const Effort& effort) {
    const Rest few = measure_rest(2, effort);
    const Rest many = measure_rest(effort.judge ? 26 : 6, effort);
    found.frame_cpu = std::max(
        0.0, (many.data_cpu_s - few.data_cpu_s) / (many.data_frames - few.data_frames) * 1e6);
    found.rest_bytes_per_s = few.traffic.frame_bytes / few.seconds;
    found.rest_frames_per_s = few.traffic.frames / few.seconds;
    found.headers_per_byte =
        (many.traffic.wire_bytes - many.traffic.frame_bytes) / many.traffic.frame_bytes;
}

}  // namespace

Coefficients measure_memory(const Effort& effort) {
    Coefficients found;
    measure_one_copy(found, effort);
    measure_second_copy(found, effort);
    return found;
}

Coefficients measure_coefficients(const Effort& effort) {
    Coefficients found = measure_memory(effort);
    measure_changes(found, effort);
    measure_frames(found, effort);
    return found;
}

}  // namespace muster::bench
