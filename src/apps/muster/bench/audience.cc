#include "apps/muster/bench/audience.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace muster::cli::bench {
namespace {

std::optional<std::uint32_t> number(std::string_view digits) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    if (error != std::errc() || end != digits.end()) {
        return std::nullopt;
    }
    return value;
}

// The number after `name` in a box.
std::optional<std::uint32_t> number_after(std::string_view name, std::string_view box) {
    const auto at = box.find(name);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = box.substr(at + name.size());
    return number(rest.substr(0, rest.find('&')));
}

msg::PushAck acknowledged(const msg::Push& push, bool ok = true) {
    return {.service = push.view->service,
            .scope = push.scope,
            .zone = push.zone,
            .version = push.view->version,
            .ok = ok};
}

}  // namespace

RunNames::RunNames(std::uint32_t random) : run_(fmt::format("muster-bench-{:08x}", random)) {}

Service RunNames::service(std::uint32_t number) const {
    return {.data_id = fmt::format("{}.{}", run_, number)};
}

std::string RunNames::entry(std::uint32_t service, std::uint32_t number) const {
    return fmt::format("{}.{}-{}", run_, service, number);
}

// Each of a service has an address of its own: one that many come and go under is damped.
std::string RunNames::box(std::uint32_t entry, std::uint32_t version) {
    return fmt::format("192.0.2.{}:{}?weight=100&m.entry={}&m.version={}", entry % 250 + 1,
                       10'000 + entry / 250 % 50'000, entry, version);
}

std::optional<RunNames::State> RunNames::state_in(std::string_view box) {
    const auto entry = number_after("m.entry=", box);
    const auto version = number_after("m.version=", box);
    return entry && version ? std::optional(State{*entry, *version}) : std::nullopt;
}

std::optional<std::uint32_t> RunNames::service_number(std::string_view data_id) const {
    if (!data_id.starts_with(run_) || data_id.size() < run_.size() + 2 ||
        data_id[run_.size()] != '.') {
        return std::nullopt;
    }
    return number(data_id.substr(run_.size() + 1));
}

std::optional<std::uint32_t> RunNames::entry_number(std::string_view id) const {
    const auto dash = id.rfind('-');
    if (!id.starts_with(run_) || dash == std::string_view::npos || dash < run_.size()) {
        return std::nullopt;
    }
    return number(id.substr(dash + 1));
}

void Audience::watch(std::size_t conn, std::uint32_t service, std::uint32_t entries) {
    held_[key(conn, service)].entries.assign(entries, 0);
}

void Audience::forget(std::size_t conn, std::uint32_t service) {
    const auto found = held_.find(key(conn, service));
    if (found != held_.end()) {
        const auto& entries = found->second.entries;
        shown_ -= entries.size() -
                  static_cast<std::uint64_t>(std::ranges::count(entries, std::uint32_t{0}));
        held_.erase(found);
    }
}

void Audience::let_go(std::uint32_t service, std::uint32_t entry) {
    let_go_.insert(key(service, entry));
}

void Audience::stays(std::uint32_t service, std::uint32_t entry) {
    let_go_.erase(key(service, entry));
}

msg::PushAck Audience::take(std::size_t conn, const msg::Push& push, Duration at) {
    ++pushes_;
    const auto service = names_.service_number(push.view->service->data_id);
    const auto found = service ? held_.find(key(conn, *service)) : held_.end();
    if (found == held_.end()) {
        return acknowledged(push);
    }
    Held& held = found->second;
    const Change change{.conn = conn, .service = *service, .at = at};
    if (push.view->version < held.version) {
        return acknowledged(push);
    }
    if (push.delta == nullptr) {
        ++whole_pushes_;
        take_whole(held, change, push);
    } else if (push.delta->from == held.version) {
        take_delta(held, change, push);
    } else {
        ++unusable_;
        return acknowledged(push, false);
    }
    held.version = push.view->version;
    return acknowledged(push);
}

void Audience::take_delta(Held& held, Change change, const msg::Push& push) {
    for (const PublicationPtr& publication : push.delta->upserts) {
        put(held, change, *publication);
    }
    if (!push.view->complete) {
        return;
    }
    for (const RegistId& id : push.delta->removals) {
        if (const auto entry = names_.entry_number(id.raw())) {
            change.entry = *entry;
            set(held, change, 0);
        }
    }
}

void Audience::take_whole(Held& held, Change change, const msg::Push& push) {
    std::vector<bool> there(held.entries.size(), false);
    for (const PublicationPtr& publication : push.view->publications) {
        const auto entry = names_.entry_number(publication->id.raw());
        if (entry && *entry < there.size()) {
            there[*entry] = true;
            put(held, change, *publication);
        }
    }
    for (std::size_t i = 0; push.view->complete && i < there.size(); ++i) {
        if (!there[i]) {
            change.entry = static_cast<std::uint32_t>(i);
            set(held, change, 0);
        }
    }
}

void Audience::put(Held& held, Change change, const Publication& publication) {
    if (const auto entry = names_.entry_number(publication.id.raw())) {
        change.entry = *entry;
        set(held, change, static_cast<std::uint32_t>(publication.order.version));
    }
}

void Audience::set(Held& held, Change change, std::uint32_t to) {
    if (change.entry >= held.entries.size()) {
        return;
    }
    std::uint32_t& version = held.entries[change.entry];
    if (version == to) {
        return;
    }
    change.from = version;
    change.to = to;
    version = to;
    shown_ += change.from == 0 ? 1 : 0;
    shown_ -= to == 0 ? 1 : 0;
    false_removals_ += to == 0 && !let_go_.contains(key(change.service, change.entry)) ? 1 : 0;
    backward_ += to != 0 && to < change.from ? 1 : 0;
    if (on_change_) {
        on_change_(change);
    }
}

}  // namespace muster::cli::bench
