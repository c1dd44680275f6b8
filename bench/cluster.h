#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "process.h"

namespace muster::bench {

struct ClusterSize {
    std::size_t metas = 3;
    std::size_t data = 3;
    std::size_t sessions = 2;
};

// One node: a process of one role, with ports and a folder that stay over its lives.
struct Node {
    std::string name;  // "data-2": also its node id
    std::string role;
    std::uint16_t peer_port = 0;
    std::uint16_t http_port = 0;
    std::uint16_t client_port = 0;  // sessions
    std::unique_ptr<Process> process;

    [[nodiscard]] bool alive() const {
        return process != nullptr;
    }
};

// A cluster of real processes on 127.0.0.1; it ends with the object. What does not come up in time
// ends the program with a sentence.
class Cluster {
public:
    static constexpr std::size_t kSlots = 256;
    static constexpr std::size_t kCopiesMax = 3;

    explicit Cluster(const ClusterSize& size);

    // Starts one more data node, under a name that no other had.
    Node& add_data();
    // Kills it and has the metas forget it. References to it end.
    void remove(Node& node);

    void start(Node& node);
    void kill(Node& node);

    // Until every slot has a leader and all copies a cluster of this size can have are in step.
    void await_balanced();

    [[nodiscard]] std::vector<Node*> of(std::string_view role);
    [[nodiscard]] Node& named(std::string_view name);
    // The meta that leads, by its own word; null: none at the moment.
    [[nodiscard]] Node* leading_meta();
    // Asks for slot `slot` to be led by `to`; whether a meta agreed.
    [[nodiscard]] bool move_slot(std::size_t slot, const std::string& to);

    // "127.0.0.1:9600,..." of the sessions.
    [[nodiscard]] std::string servers();
    // Sum of a metric over all living nodes.
    [[nodiscard]] double metric_of_all(std::string_view name, std::string_view labels = {});
    [[nodiscard]] static double metric_of(const Node& node, std::string_view name,
                                          std::string_view labels = {});

private:
    Node& add(std::string name, std::string role);
    // Runs `muster ARGUMENTS` against a session; whether it succeeded.
    [[nodiscard]] bool command(std::vector<std::string> arguments);
    // `instead` says what is the case when it does not come true. A node that ended by itself ends
    // the program at once.
    void await(
        const std::string& what, const std::function<bool()>& holds,
        const std::function<std::string()>& instead = [] { return std::string(); });
    [[nodiscard]] std::string log_of(const Node& node) const;

    TempFolder folder_;
    std::string join_;
    std::size_t data_names_ = 0;
    std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace muster::bench
