#include "sim/world/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::sim {

Registry::Registry(const RegistryOptions& options, NodeWorld world, Prng prng)
    : options_(options), world_(world), prng_(prng) {
    if (options_.embedded) {
        metas_ = {NodeId("registry")};
        add({Role::meta, Role::data, Role::session}, "registry");
        return;
    }
    for (int i = 1; i <= options_.metas; ++i) {
        metas_.emplace_back(fmt::format("meta-{}", i));
    }
    for (const auto& [role, count] : {std::pair{Role::meta, options_.metas},
                                      {Role::data, options_.data},
                                      {Role::session, options_.sessions}}) {
        for (int i = 0; i < count; ++i) {
            add(role);
        }
    }
}

Node& Registry::add(Role role) {
    return add({role}, fmt::format("{}-{}", to_string(role), count_[role] + 1));
}

Node& Registry::add(const std::vector<Role>& roles, const std::string& name) {
    const int number = ++count_[roles.front()];
    NodePlan plan{
        .id = NodeId(name),
        .roles = roles,
        .metas = metas_,
        .zone = fmt::format("zone-{}", (number - 1) % options_.zones + 1),
        .client_address = fmt::format("10.0.3.{}:9600", number),
        .data_address = fmt::format("10.0.2.{}:9620", number),
        .peer_address = fmt::format("10.0.{}.{}:9611", static_cast<int>(roles.front()) + 1, number),
        .folder = nodes_.size() + 1,
        .slots = options_.slots,
        .copies = options_.copies,
        .sync_max = options_.sync_max,
        .brake = options_.brake,
        .balance = options_.balance,
        .flap_damping = options_.flap_damping,
        .requests_at_once = options_.requests_at_once,
        .updates_at_once = options_.updates_at_once,
        .tells = options_.tells,
        .client_subscribes = options_.client_subscribes};
    nodes_.push_back(std::make_unique<Node>(std::move(plan), world_, Prng(prng_.next())));
    nodes_.back()->on_connection_ended = [this](Node& node, PipeId pipe, ConnectionEnd how) {
        on_connection_ended(node, pipe, how);
    };
    nodes_.back()->on_noted = [this](Node& node, const history::Note& note) {
        on_noted(node, note);
    };
    return *nodes_.back();
}

std::vector<Node*> Registry::nodes() const {
    std::vector<Node*> all;
    for (const auto& node : nodes_) {
        all.push_back(node.get());
    }
    return all;
}

std::vector<Node*> Registry::nodes(Role role) const {
    std::vector<Node*> some;
    for (const auto& node : nodes_) {
        if (node->has(role)) {
            some.push_back(node.get());
        }
    }
    return some;
}

Node& Registry::node(const std::string& name) const {
    const auto found = std::ranges::find_if(
        nodes_, [&](const auto& node) { return node->plan().id.raw() == name; });
    CHECK(found != nodes_.end());
    return **found;
}

bool Registry::holds_suspects() const {
    return std::ranges::any_of(nodes(), [](Node* node) {
        const auto* session = node->session();
        const auto* data = node->data();
        return (session != nullptr && session->status().suspects > 0) ||
               (data != nullptr && data->status().suspects > 0);
    });
}

bool Registry::holds_departed() const {
    return std::ranges::any_of(nodes(), [](Node* node) {
        const auto* session = node->session();
        return session != nullptr && session->status().departed > 0;
    });
}

void Registry::start_all() {
    for (const auto& node : nodes_) {
        node->start();
    }
}

}  // namespace muster::sim
