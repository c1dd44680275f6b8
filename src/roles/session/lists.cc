#include "roles/session/lists.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace muster::session {

Version List::in_flight() const {
    return detail == nullptr ? Version{} : detail->in_flight;
}

bool List::waiting() const {
    return detail != nullptr && detail->waiting;
}

bool List::stray() const {
    return detail != nullptr && detail->stray;
}

bool List::claimed() const {
    return detail != nullptr && detail->claimed;
}

std::optional<MonoTime> List::behind_since() const {
    return detail == nullptr ? std::nullopt : detail->behind_since;
}

std::size_t List::subscribers() const {
    return 1 + (detail == nullptr ? 0 : detail->more.size());
}

std::vector<std::string_view> List::ids() const {
    std::vector<std::string_view> ids;
    append_ids(ids);
    return ids;
}

void List::append_ids(std::vector<std::string_view>& ids) const {
    ids.push_back(first.id.view());
    if (detail != nullptr) {
        for (const Subscriber& one : detail->more) {
            ids.push_back(one.id.view());
        }
    }
}

bool ListDetail::is_usual() const {
    return more.empty() && in_flight == Version{} && !waiting && !whole && !stray && !late &&
           failures == 0 && !claimed && !behind_since && !silent_since && due_origin == kNever &&
           due_here == kNever && flight_origin == kNever;
}

namespace {

Subscriber* subscriber_in(List& list, std::string_view id) {
    if (list.first.id.view() == id) {
        return &list.first;
    }
    if (list.detail == nullptr) {
        return nullptr;
    }
    const auto found = std::ranges::find_if(
        list.detail->more, [&](const Subscriber& one) { return one.id.view() == id; });
    return found == list.detail->more.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Lists::Found> Lists::find(env::ConnId conn, std::string_view id) const {
    const auto index = by_id_.find(conn);
    if (index == by_id_.end()) {
        return std::nullopt;
    }
    const auto item = index->second.find(id);
    if (item == index->second.end()) {
        return std::nullopt;
    }
    return Found{item->place, subscriber_in(item->place.list(), id)->order};
}

ListsOfService* Lists::of(const Service& service) {
    const auto known = services_.find(service.data_info_id());
    return known == services_.end() ? nullptr : &known->second;
}

const ListsOfService* Lists::of(const Service& service) const {
    const auto known = services_.find(service.data_info_id());
    return known == services_.end() ? nullptr : &known->second;
}

Lists::Added Lists::add(const ServicePtr& service, const ListKey& key, const RegistId& id,
                        RegistOrder order) {
    const auto known =
        services_.try_emplace(service->data_info_id(), service, ListsByKey(&pool_)).first;
    ListsOfService& of = known->second;
    const auto [entry, is_new_list] = of.lists.try_emplace(key);
    const Place place{&of, &*entry};
    List& list = entry->second;
    if (Subscriber* there = is_new_list ? nullptr : subscriber_in(list, id.raw())) {
        there->order = order;
        return {place, false, false};
    }
    Subscriber& made = is_new_list ? list.first : detail(place).more.emplace_back();
    made = {ShortText(id.raw()), order};
    Index& index = by_id_.try_emplace(key.conn, &pool_).first->second;
    const bool is_new_id = index.insert({made.id.raw(), place}).second;
    CHECK_BECAUSE(is_new_id, "an id names one list of a connection");
    ++size_;
    return {place, is_new_list, true};
}

ServicePtr Lists::remove(env::ConnId conn, std::string_view id) {
    const auto index = by_id_.find(conn);
    const auto item = index == by_id_.end() ? Index::iterator() : index->second.find(id);
    if (index == by_id_.end() || item == index->second.end()) {
        return nullptr;
    }
    const Place place = item->place;
    index->second.erase(item);  // before the text goes that it is found by
    if (index->second.empty()) {
        by_id_.erase(index);
    }
    --size_;
    List& list = place.list();
    auto* more = list.detail == nullptr ? nullptr : &list.detail->more;
    if (list.first.id.view() != id) {
        std::erase_if(*more, [&](const Subscriber& one) { return one.id.view() == id; });
    } else if (more != nullptr && !more->empty()) {
        list.first = std::move(more->front());
        more->erase(more->begin());
    } else {
        drop_detail(list);
        place.of->lists.erase(ListKey(place.key()));
        if (place.of->lists.empty()) {
            const ServicePtr service = place.of->service;
            services_.erase(service->data_info_id());
            return service;
        }
        return nullptr;
    }
    settle(list);
    return nullptr;
}

std::size_t Lists::count_of(env::ConnId conn) const {
    const auto index = by_id_.find(conn);
    return index == by_id_.end() ? 0 : index->second.size();
}

void Lists::for_each(env::ConnId conn, const std::function<void(const Place&)>& visit) const {
    if (const auto index = by_id_.find(conn); index != by_id_.end()) {
        for (const ById& item : index->second) {
            visit(item.place);
        }
    }
}

std::vector<std::string> Lists::ids_of(env::ConnId conn) const {
    std::vector<std::string> ids;
    if (const auto index = by_id_.find(conn); index != by_id_.end()) {
        ids.reserve(index->second.size());
        for (const ById& item : index->second) {
            ids.emplace_back(Text::of(item));
        }
    }
    std::ranges::sort(ids);
    return ids;
}

ListDetail& Lists::detail(const Place& place) {
    List& list = place.list();
    if (list.detail == nullptr) {
        ListDetail& made = untimed_.emplace_back();
        made.of = place.of;
        made.entry = place.entry;
        made.place = std::prev(untimed_.end());
        list.detail = &made;
    }
    return *list.detail;
}

void Lists::settle(List& list) {
    if (list.detail != nullptr && list.detail->is_usual()) {
        drop_detail(list);
    }
}

void Lists::drop_detail(List& list) {
    if (ListDetail* detail = std::exchange(list.detail, nullptr)) {
        mark_late(*detail, false);
        (detail->timed_at ? timed_ : untimed_).erase(detail->place);
    }
}

void Lists::time(ListDetail& detail, MonoTime now) {
    timed_.splice(timed_.end(), detail.timed_at ? timed_ : untimed_, detail.place);
    detail.timed_at = now;
}

void Lists::untime(ListDetail& detail) {
    if (std::exchange(detail.timed_at, std::nullopt)) {
        untimed_.splice(untimed_.end(), timed_, detail.place);
    }
}

void Lists::mark_late(ListDetail& detail, bool late) {
    if (std::exchange(detail.late, late) != late) {
        late ? ++late_ : --late_;
    }
}

ListDetail* Lists::first_timed() {
    return timed_.empty() ? nullptr : &timed_.front();
}

}  // namespace muster::session
