#include "sim/workloads/sim_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "roles/session/balancer.h"

namespace muster::sim {
namespace {

// A session holds what its client published so long after it sent that away.
constexpr Duration kHeldAfterMove = session::BalancerOptions{}.journey + std::chrono::seconds(1);

}  // namespace

SimClient::SimClient(ClientWorld world, Prng prng, std::string name, std::string zone)
    : world_(world),
      prng_(prng),
      process_(world.scheduler, world.trace, Prng(prng_.next()), std::move(name)),
      zone_(std::move(zone)) {}

RegistId SimClient::publish(const Service& service) {
    const std::string content = fmt::format("{}:20880?state={}", name(), ++contents_);
    const RegistId id = do_publish(service, content);
    note(fmt::format("publishes {} of {} as {}", content, service.data_id, id.raw()));
    published_.push_back(id);
    world_.truth.published(id, service, zone_, name(), content);
    return id;
}

void SimClient::update(const RegistId& id) {
    const std::string content = fmt::format("{}:20880?state={}", name(), ++contents_);
    note(fmt::format("updates {} to {}", id.raw(), content));
    world_.truth.updated(id, content);
    do_update(id, content);
}

void SimClient::withdraw(RegistId id) {
    note(fmt::format("withdraws {}", id.raw()));
    world_.truth.ended(id, Ending::left);
    std::erase(published_, id);
    do_withdraw(id);
}

void SimClient::kill(bool machine_lost) {
    if (!alive()) {
        return;
    }
    process_.kill();
    const bool moved = reached_.size() > 1 && world_.scheduler.now() - connected_ < kHeldAfterMove;
    const bool silent = machine_lost || falls_silent() || moved;
    world_.truth.client_died(name(), silent ? Ending::silent : Ending::closed);
    world_.pipes.on_client_killed(process_, machine_lost);
    published_.clear();
    listeners_.clear();
    watched_.clear();
}

PipeId SimClient::connect(ClientEnd& end, const std::string& server, const std::string& door) {
    pipe_ = world_.pipes.connect(process_, end, server, door);
    reached_[pipe_] = {server, world_.pipes.session_of(pipe_).life};
    connected_ = world_.scheduler.now();
    return pipe_;
}

std::string SimClient::next_server() {
    if (to_try_.empty()) {
        to_try_ = named_.empty() || prng_.chance(1, 4) ? world_.pipes.servers() : named_;
        for (std::size_t i = to_try_.size(); i > 1; --i) {
            std::swap(to_try_[i - 1], to_try_[prng_.below(i)]);
        }
    }
    const std::string server = to_try_.back();
    to_try_.pop_back();
    return server;
}

void SimClient::read_server_list() {
    to_try_.clear();
    const auto served = world_.pipes.servers();
    auto list = world_.pipes.server_list(pipe_);
    std::erase_if(list, [&](const std::string& address) {
        return std::ranges::find(served, address) == served.end();
    });
    if (!list.empty()) {
        named_ = std::move(list);
    }
}

}  // namespace muster::sim
