#include "apps/muster/bench/registrants.h"

#include <algorithm>
#include <utility>

#include "apps/load/machine.h"
#include "apps/load/native_frames.h"

namespace muster::cli::bench {
namespace {

// Entries of one request when all are taken back.
constexpr std::size_t kLeavingBatch = 500;

}  // namespace

Registrants::State& Registrants::state_of(const EntryName& entry) {
    if (states_.size() <= entry.service) {
        states_.resize(entry.service + 1);
    }
    auto& states = states_[entry.service];
    if (states.size() <= entry.entry) {
        states.resize(entry.entry + 1);
    }
    return states[entry.entry];
}

PublicationPtr Registrants::publication_of(const EntryName& entry, std::uint32_t version) const {
    return load::publication(names_.service(entry.service),
                             names_.entry(entry.service, entry.entry), version,
                             RunNames::box(entry.entry, version));
}

void Registrants::send(std::size_t conn, const msg::ClientMessage& message, Open open) {
    open.due = open.due ? open.due : load::now();
    open_.emplace(requests_, std::move(open));
    crowd_.say(conn, message);
}

std::uint32_t Registrants::version_of(const EntryName& entry) const {
    return entry.service < states_.size() && entry.entry < states_[entry.service].size()
               ? states_[entry.service][entry.entry].version
               : 0;
}

void Registrants::say(std::size_t conn, std::span<const EntryName> entries,
                      std::optional<Duration> due) {
    msg::RegisterPublishers request{.request = next_request()};
    for (const EntryName& entry : entries) {
        State& state = state_of(entry);
        state = {
            .conn = static_cast<std::uint32_t>(conn), .version = state.version + 1, .alive = true};
        request.publications.push_back(publication_of(entry, state.version));
    }
    send(conn, request, {.conn = conn, .leaving = {}, .due = due});
}

// In their newest state with a newer timestamp: so this connection has them, not one that is gone.
void Registrants::say_again(std::size_t conn, std::span<const EntryName> entries) {
    msg::RegisterPublishers request{.request = next_request()};
    for (const EntryName& entry : entries) {
        State& state = state_of(entry);
        state.conn = static_cast<std::uint32_t>(conn);
        request.publications.push_back(publication_of(entry, state.version));
    }
    send(conn, request, {.conn = conn, .leaving = {}, .due = {}});
}

void Registrants::leave(std::size_t conn, std::span<const EntryName> entries,
                        std::optional<Duration> due) {
    msg::UnregisterPublishers request{.request = next_request()};
    for (const EntryName& entry : entries) {
        State& state = state_of(entry);
        ++state.version;
        request.items.push_back(
            {.id = RegistId(names_.entry(entry.service, entry.entry)),
             .service = std::make_shared<const Service>(names_.service(entry.service)),
             .order = {.version = state.version, .timestamp_ms = load::wall_ms()}});
    }
    send(conn, request, {.conn = conn, .leaving = {entries.begin(), entries.end()}, .due = due});
}

void Registrants::forget(const EntryName& entry) {
    state_of(entry).alive = false;
}

bool Registrants::take(std::uint32_t request, const Result<msg::RequestReply>& reply, Duration at) {
    const auto found = open_.find(request);
    if (found == open_.end()) {
        return false;
    }
    const Open open = std::move(found->second);
    open_.erase(found);
    if (!reply) {
        refuse(reply.error());
    } else {
        for (std::size_t i = 0; i < reply->outcomes.size(); ++i) {
            const auto& outcome = reply->outcomes[i];
            if (!outcome.result) {
                refuse(outcome.result.error());
            } else if (i < open.leaving.size()) {
                state_of(open.leaving[i]).alive = false;
            }
        }
    }
    if (on_answer_) {
        on_answer_({.conn = open.conn, .leaving = !open.leaving.empty(), .took = at - *open.due});
    }
    return true;
}

void Registrants::refuse(const Error& error) {
    if (refused_++ == 0) {
        why_refused_ = to_string(error);
    }
}

bool Registrants::waits() const {
    return std::ranges::any_of(open_,
                               [&](const auto& open) { return crowd_.is_open(open.second.conn); });
}

std::uint64_t Registrants::alive() const {
    std::uint64_t count = 0;
    for (const auto& states : states_) {
        count += static_cast<std::uint64_t>(std::ranges::count_if(states, &State::alive));
    }
    return count;
}

std::optional<std::size_t> Registrants::first_open() const {
    for (std::size_t conn = 0; conn < crowd_.size(); ++conn) {
        if (crowd_.is_open(conn)) {
            return conn;
        }
    }
    return std::nullopt;
}

void Registrants::leave_some() {
    std::map<std::size_t, std::vector<EntryName>> by_conn;
    std::vector<EntryName> orphans;
    for (std::uint32_t service = 0; service < states_.size(); ++service) {
        for (std::uint32_t entry = 0; entry < states_[service].size(); ++entry) {
            const State& state = states_[service][entry];
            if (!state.alive) {
                continue;
            }
            const bool open = crowd_.is_open(state.conn);
            auto& batch = open ? by_conn[state.conn] : orphans;
            if (batch.size() < kLeavingBatch) {
                batch.push_back({service, entry});
            }
        }
    }
    const auto heir = first_open();
    if (!orphans.empty() && heir) {
        say_again(*heir, orphans);
        leave(*heir, orphans);
    }
    for (const auto& [conn, batch] : by_conn) {
        leave(conn, batch);
    }
}

}  // namespace muster::cli::bench
