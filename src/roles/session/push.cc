#include "roles/session/push.h"

#include <algorithm>
#include <utility>

namespace muster::session {
namespace {

// A push that its receiver refuses is sent once more at once, then only at the pace of timeouts.
constexpr std::uint32_t kQuickRetries = 1;

}  // namespace

void Pusher::add(const ServicePtr& service, const ListKey& key, const RegistId& id,
                 const Held& held, const std::string& app) {
    PerService& known = services_[service->data_info_id()];
    known.service = service;
    const auto [found, is_new_list] = known.lists.try_emplace(key);
    List& list = found->second;
    const bool is_new_id = std::ranges::find(list.subscribers, id) == list.subscribers.end();
    if (is_new_id) {
        list.subscribers.push_back(id);
    }
    list.app = app;
    list.waiting = true;
    list.stray = list.stray || held.stray;
    if (is_new_list || !is_new_id) {
        list.acknowledged = held.version;
        list.claimed = held.version.raw() != 0 ? std::optional(held.digest) : std::nullopt;
    } else {
        list.whole = true;  // the others have it, this one has not
    }
}

bool Pusher::remove(const Service& service, const ListKey& key, const RegistId& id) {
    const auto known = services_.find(service.data_info_id());
    if (known == services_.end()) {
        return false;
    }
    auto& lists = known->second.lists;
    if (const auto list = lists.find(key); list != lists.end()) {
        std::erase(list->second.subscribers, id);
        if (list->second.subscribers.empty()) {
            lists.erase(list);
        }
    }
    if (!lists.empty()) {
        return true;
    }
    services_.erase(known);
    return false;
}

std::size_t Pusher::door_number(const msg::ClientPort* port) {
    const auto known = std::ranges::find(doors_, port);
    if (known != doors_.end()) {
        return static_cast<std::size_t>(known - doors_.begin());
    }
    doors_.push_back(port);
    return doors_.size() - 1;
}

std::set<Version> Pusher::note_strays(const DatumCopy& copy, Version from) {
    std::set<Version> strays;
    const auto known = services_.find(copy.service->data_info_id());
    if (known == services_.end()) {
        return strays;
    }
    for (auto& [key, list] : known->second.lists) {
        const Version held = list.acknowledged;
        if (list.claimed && held > from && held < copy.version) {
            list.stray = true;
            strays.insert(held);
        }
    }
    return strays;
}

void Pusher::note_change(const Service& service, MonoTime origin, MonoTime now) {
    const auto known = services_.find(service.data_info_id());
    if (known == services_.end()) {
        return;
    }
    for (auto& [key, list] : known->second.lists) {
        // Who was told nothing here yet may have subscribed long after the change.
        const bool told_here =
            list.in_flight != Version{} || (list.acknowledged != Version{} && !list.claimed);
        if (told_here) {
            list.due_origin = std::min(list.due_origin, origin);
            list.due_here = std::min(list.due_here, now);
        }
    }
}

void Pusher::offer(DatumCopy& copy, MonoTime now) {
    const auto known = services_.find(copy.service->data_info_id());
    if (known == services_.end()) {
        return;
    }
    Shares shares;
    for (auto& [key, list] : known->second.lists) {
        collect(copy, key, list, now, shares);
    }
    send(shares);
}

void Pusher::offer(DatumCopy& copy, env::ConnId conn, MonoTime now) {
    const auto known = services_.find(copy.service->data_info_id());
    if (known == services_.end()) {
        return;
    }
    Shares shares;
    auto& lists = known->second.lists;
    for (auto item = lists.lower_bound(ListKey{.conn = conn}); item != lists.end(); ++item) {
        if (item->first.conn != conn) {
            break;
        }
        collect(copy, item->first, item->second, now, shares);
    }
    send(shares);
}

void Pusher::collect(DatumCopy& copy, const ListKey& key, List& list, MonoTime now,
                     Shares& shares) {
    if (copy.version.raw() == 0) {
        list.behind_since = list.behind_since.value_or(now);
        return;  // not known yet: nothing is said
    }
    msg::ClientPort* port = port_of_(key.conn);
    if (port == nullptr) {
        return;
    }
    if (list.stray && copy.doubted.empty()) {
        list.stray = false;
        list.whole = true;
    }
    const bool told_only = copy.told && !port->shows_incomplete();
    const Version version = told_only ? copy.told->version : copy.version;
    const bool to_confirm = list.claimed && version == list.acknowledged;
    if (version <= list.acknowledged && !list.whole && !to_confirm) {
        list.waiting = false;
        list.behind_since.reset();
        list.due_origin = kNever;
        list.due_here = kNever;
        return;
    }
    note_due(list, now);
    if (list.in_flight.raw() != 0) {
        return;
    }
    if ((!copy.complete || list.stray) && !port->shows_incomplete()) {
        probe_.held_back_incomplete.add();
        return;
    }
    if (port->congested(key.conn)) {
        probe_.skipped_congested.add();
        return;
    }
    const auto view = [&] {
        if (list.stray) {
            return DatumCopies::stray_view(copy, key.scope, key.zone);
        }
        return told_only ? DatumCopies::told_view(copy, key.scope, key.zone)
                         : DatumCopies::view(copy, key.scope, key.zone);
    };
    if (to_confirm && view()->digest != *list.claimed) {
        list.whole = true;
    }
    const bool delta_wanted = port->takes_deltas() && !list.whole && !told_only;
    const Version from = delta_wanted ? list.acknowledged : Version{};
    const auto [share, is_new] = shares.try_emplace(ShareKey{.door = door_number(port),
                                                             .scope = key.scope,
                                                             .zone = key.zone,
                                                             .from = from,
                                                             .stray = list.stray});
    if (is_new) {
        share->second.port = port;
        share->second.view = view();
        share->second.delta =
            delta_wanted ? DatumCopies::delta(copy, *share->second.view, from) : nullptr;
    }
    share->second.targets.push_back({key.conn, list.subscribers});
    share->second.delta != nullptr ? probe_.pushes_delta.add() : probe_.pushes_whole.add();
    probe_.pushes.add();
    note_sent(list, *copy.service, version, now);
    deadlines_.push_back({now + timeout_, copy.service, key, version});
}

void Pusher::note_sent(List& list, const Service& service, Version version, MonoTime now) {
    if (list.due_here != kNever) {
        stages_.record(Stage::session_to_push, now - list.due_here, service);
    }
    list.flight_origin = std::exchange(list.due_origin, kNever);
    list.due_here = kNever;
    list.in_flight = version;
    list.waiting = false;
    list.whole = false;
    list.claimed.reset();
    list.sent_at = now;
}

// What was sent has to be sent again: it waits since it was sent first.
void Pusher::take_back(List& list) {
    list.in_flight = Version{};
    if (list.flight_origin != kNever) {
        list.due_origin = std::min(list.due_origin, std::exchange(list.flight_origin, kNever));
        list.due_here = std::min(list.due_here, list.sent_at);
    }
}

// Something newer than what is acknowledged is there.
void Pusher::note_due(List& list, MonoTime now) {
    list.behind_since = list.behind_since.value_or(now);
    if (!std::exchange(list.waiting, true) || list.waiting_since < list.sent_at) {
        list.waiting_since = now;
    }
}

void Pusher::send(const Shares& shares) {
    for (const auto& [key, share] : shares) {
        share.port->push({.view = share.view,
                          .delta = share.delta,
                          .scope = key.scope,
                          .zone = key.zone,
                          .targets = share.targets});
    }
}

bool Pusher::acknowledge(const Service& service, const ListKey& key, Version version, bool ok,
                         MonoTime now) {
    const auto known = services_.find(service.data_info_id());
    if (known == services_.end()) {
        return false;
    }
    const auto found = known->second.lists.find(key);
    if (found == known->second.lists.end() || found->second.in_flight != version ||
        version.raw() == 0) {
        return false;
    }
    List& list = found->second;
    if (ok) {
        probe_.acknowledged.add();
        probe_.push_to_ack.record(now - list.sent_at);
        if (list.flight_origin != kNever) {
            stages_.record(Stage::push_to_ack, now - list.sent_at, service);
            stages_.record(Stage::end_to_end, now - std::exchange(list.flight_origin, kNever),
                           service);
        }
        list.acknowledged = version;
        list.in_flight = Version{};
        list.failures = 0;
        list.behind_since.reset();
        if (list.waiting || list.whole) {
            list.behind_since = list.waiting_since;
            return true;
        }
        return false;
    }
    probe_.refused.add();
    list.whole = true;
    list.waiting = true;
    if (++list.failures > kQuickRetries) {
        return false;  // stays in flight until it times out
    }
    take_back(list);
    return true;
}

std::vector<ServicePtr> Pusher::expire(MonoTime now) {
    std::vector<ServicePtr> services;
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        const Deadline deadline = std::move(deadlines_.front());
        deadlines_.pop_front();
        const auto known = services_.find(deadline.service->data_info_id());
        if (known == services_.end()) {
            continue;
        }
        const auto list = known->second.lists.find(deadline.key);
        if (list == known->second.lists.end() || list->second.in_flight != deadline.version ||
            list->second.sent_at + timeout_ != deadline.at) {
            continue;
        }
        probe_.timeouts.add();
        take_back(list->second);
        list->second.waiting = true;
        list->second.whole = true;
        services.push_back(deadline.service);
    }
    return services;
}

bool Pusher::busy(const Service& service, const ListKey& key) const {
    const auto* lists = lists_of(service);
    if (lists == nullptr) {
        return false;
    }
    const auto list = lists->find(key);
    return list != lists->end() && (list->second.waiting || list->second.in_flight != Version{});
}

const std::map<ListKey, Pusher::List>* Pusher::lists_of(const Service& service) const {
    const auto known = services_.find(service.data_info_id());
    return known == services_.end() ? nullptr : &known->second.lists;
}

}  // namespace muster::session
