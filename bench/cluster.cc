#include "cluster.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <unistd.h>

#include "sockets.h"

namespace muster::bench {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);

std::string at(std::uint16_t port) {
    return fmt::format("127.0.0.1:{}", port);
}

// The last of what a program said.
std::string last_words(const std::string& log_file) {
    constexpr std::size_t kEnough = 1000;
    std::ifstream file(log_file);
    const std::string said{std::istreambuf_iterator<char>(file), {}};
    return said.size() <= kEnough ? said : said.substr(said.size() - kEnough);
}

}  // namespace

Cluster::Cluster(const ClusterSize& size) {
    const auto add_all = [&](std::string_view role, std::size_t count) {
        for (std::size_t i = 1; i <= count; ++i) {
            add(fmt::format("{}-{}", role, i), std::string(role));
        }
    };
    add_all("meta", size.metas);
    add_all("data", size.data);
    data_names_ = size.data;
    add_all("session", size.sessions);
    for (const Node* meta : of("meta")) {
        join_ += (join_.empty() ? "" : ",") + meta->name + "=" + at(meta->peer_port);
    }
    for (const auto& node : nodes_) {
        start(*node);
    }
    await_balanced();
}

Node& Cluster::add(std::string name, std::string role) {
    auto node = std::make_unique<Node>();
    node->name = std::move(name);
    node->role = std::move(role);
    node->peer_port = free_port();
    node->http_port = free_port();
    node->client_port = node->role == "session" ? free_port() : 0;
    return *nodes_.emplace_back(std::move(node));
}

Node& Cluster::add_data() {
    Node& node = add(fmt::format("data-{}", ++data_names_), "data");
    start(node);
    return node;
}

void Cluster::remove(Node& node) {
    const std::string name = node.name;
    kill(node);
    std::erase_if(nodes_, [&](const auto& one) { return one->name == name; });
    await("the metas forget " + name,
          [&] { return command({"members", "remove", name, "--role", "data"}); });
}

bool Cluster::command(std::vector<std::string> arguments) {
    for (const Node* node : of("session")) {
        if (node->alive()) {
            arguments.insert(arguments.end(), {"--server", "http://" + at(node->http_port)});
            return run_command(arguments, folder_.path() + "/commands.log") == 0;
        }
    }
    return false;
}

void Cluster::await(const std::string& what, const std::function<bool()>& holds,
                    const std::function<std::string()>& instead) {
    const Duration begin = now();
    while (!holds()) {
        for (const auto& node : nodes_) {
            if (node->alive() && !node->process->running()) {
                die(node->name + " ended by itself: " + last_words(log_of(*node)));
            }
        }
        if (now() - begin > kPatience) {
            die("waited in vain until " + what + instead());
        }
        ::usleep(20'000);
    }
}

std::string Cluster::log_of(const Node& node) const {
    return folder_.path() + "/" + node.name + ".log";
}

void Cluster::start(Node& node) {
    std::vector<std::string> arguments{"server",
                                       "--roles",
                                       node.role,
                                       "--node-id",
                                       node.name,
                                       "--join",
                                       join_,
                                       "--data-dir",
                                       folder_.path() + "/" + node.name,
                                       "--set",
                                       "cluster.secret=bench-" + folder_.path(),
                                       "--set",
                                       "cluster.listen=" + at(node.peer_port),
                                       "--set",
                                       "http.listen=" + at(node.http_port)};
    if (node.client_port != 0) {
        arguments.insert(arguments.end(), {"--set", "bolt.listen=" + at(node.client_port)});
    }
    node.process = std::make_unique<Process>(arguments, log_of(node));
}

void Cluster::kill(Node& node) {
    node.process.reset();
}

void Cluster::await_balanced() {
    const std::size_t data = of("data").size();
    const double copies = static_cast<double>(kSlots * std::min(data, kCopiesMax));
    await("all sessions are ready", [&] {
        return std::ranges::all_of(of("session"), [](const Node* node) {
            return http_get(node->http_port, "/health/ready").status == 200;
        });
    });
    const auto slots = [&](std::string_view which) {
        return metric_of_all(fmt::format("muster_data_slots_{}", which));
    };
    await(
        "every slot has its copies, in step",
        [&] {
            return slots("settled") == static_cast<double>(kSlots) &&
                   slots("led") + slots("synced") >= copies;
        },
        [&] {
            return fmt::format(": {} led, {} settled, {} followed, {} synced, {} acting",
                               slots("led"), slots("settled"), slots("followed"), slots("synced"),
                               slots("acting"));
        });
}

std::vector<Node*> Cluster::of(std::string_view role) {
    std::vector<Node*> found;
    for (const auto& node : nodes_) {
        if (node->role == role) {
            found.push_back(node.get());
        }
    }
    return found;
}

Node& Cluster::named(std::string_view name) {
    for (const auto& node : nodes_) {
        if (node->name == name) {
            return *node;
        }
    }
    die("no node " + std::string(name));
}

Node* Cluster::leading_meta() {
    for (Node* node : of("meta")) {
        if (node->alive() && metric_of(*node, "muster_meta_ready") == 1) {
            return node;
        }
    }
    return nullptr;
}

bool Cluster::move_slot(std::size_t slot, const std::string& to) {
    return command({"slots", "move", std::to_string(slot), "--to", to});
}

std::string Cluster::servers() {
    std::string all;
    for (const Node* node : of("session")) {
        all += (all.empty() ? "" : ",") + at(node->client_port);
    }
    return all;
}

double Cluster::metric_of(const Node& node, std::string_view name, std::string_view labels) {
    return metric(http_get(node.http_port, "/metrics").body, name, labels);
}

double Cluster::metric_of_all(std::string_view name, std::string_view labels) {
    double sum = 0;
    for (const auto& node : nodes_) {
        sum += node->alive() ? metric_of(*node, name, labels) : 0;
    }
    return sum;
}

}  // namespace muster::bench
