#include "sim/checkers/history_checker.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/version_clock.h"

namespace muster::sim {
namespace {

using What = HistoryRecord::What;
using Why = HistoryRecord::Why;

std::uint64_t number_of(const Node& node) {
    return node.plan().folder;
}

}  // namespace

void HistoryChecker::report(const std::string& what, const RegistId& id) {
    const TruePublication& known = truth_.publications().at(id);
    truth_.report("history agrees", what, {id.raw(), known.client, known.service.data_id});
}

void HistoryChecker::on_noted(Node& node, const history::Note& note) {
    const RegistId& id = note.publication.id;
    if (note.what == What::removed) {
        judge_cause(note);
    }
    judge_version(node, note);
    Story& story = stories_[id];
    auto word = std::ranges::find(story.words, number_of(node), &Word::node);
    if (word == story.words.end()) {
        word = story.words.insert(word, {.node = number_of(node)});
    }
    word->there = note.what != What::removed;
    if (note.what == What::drained) {
        word->drained = true;
    } else if (note.what == What::restored || note.what == What::removed) {
        word->drained = false;
    }
    if (note.what == What::removed || note.what == What::drained) {
        story.gone.push_back(note.version);
    }
    if (word->there) {
        story.noted_there = truth_.now();
    }
}

void HistoryChecker::judge_cause(const history::Note& note) {
    const RegistId& id = note.publication.id;
    const TruePublication& known = truth_.publications().at(id);
    if (by_word(note.cause) && known.ending != Ending::left) {
        report(fmt::format("{} is noted as {} although {} did not take it back", id.raw(),
                           to_string(note.cause), known.client),
               id);
    }
    if (note.cause == RemovalCause::closed && note.why == Why::said && known.live() &&
        !cut_off_.contains(known.client)) {
        report(fmt::format("{} is noted as closed although {} lost no connection", id.raw(),
                           known.client),
               id);
    }
    const bool of_a_session = note.why == Why::session_ended || note.why == Why::session_anew;
    if (of_a_session && !registry_.node(std::string(note.by)).ended()) {
        report(fmt::format("{} is noted as {} although {} never ended", id.raw(),
                           to_string(note.why), note.by),
               id);
    }
}

void HistoryChecker::judge_version(Node& node, const history::Note& note) {
    if (note.version == Version{} || store::given_apart(note.version)) {
        return;
    }
    Noted& last = versions_[{number_of(node), note.publication.service->data_id}];
    const std::uint64_t life = node.process().life();
    if (last.life == life && note.version < last.version) {
        report(fmt::format("{} is noted with a version below that of the record before",
                           note.publication.id.raw()),
               note.publication.id);
    }
    last = {.life = life, .version = note.version};
}

void HistoryChecker::step() {
    if (truth_.reuniting() || std::ranges::any_of(registry_.nodes(Role::data), [](Node* node) {
            return !node->process().alive() || node->process().paused();
        })) {
        disturbed_ = truth_.now();
    }
}

// What is over between two steps is known to the nodes.
bool HistoryChecker::disturbed_since(MonoTime moment) const {
    return disturbed_ >= moment ||
           std::ranges::any_of(registry_.nodes(Role::data), [moment](Node* node) {
               return (node->ended() && *node->ended() >= moment) ||
                      (node->process().resumed() && *node->process().resumed() >= moment);
           });
}

// Both lists are sorted by id.
void HistoryChecker::on_shown(const Listener& listener, const Shown* before, const Shown& now) {
    if (store::given_apart(now.version) ||
        (before != nullptr && store::given_apart(before->version))) {
        return;
    }
    static const std::map<RegistId, PublicationPtr> kNothing;
    const auto& old = before == nullptr ? kNothing : before->publications;
    // An incomplete list takes nothing away: what it did not have any more goes with a later one.
    const Version from = before != nullptr && before->complete ? before->version : Version{};
    const bool may_lose = truth_.crossed(listener);
    auto was = old.begin();
    auto is = now.publications.begin();
    while (was != old.end() || is != now.publications.end()) {
        if (is == now.publications.end() || (was != old.end() && was->first < is->first)) {
            if (!may_lose) {
                judge_gone(listener, was->first, from, now.version);
            }
            ++was;
        } else if (was == old.end() || is->first < was->first) {
            judge_shown(listener, is->first);
            ++is;
        } else {
            ++was;
            ++is;
        }
    }
}

void HistoryChecker::judge_shown(const Listener& listener, const RegistId& id) {
    if (!stories_.contains(id) && !disturbed_since(truth_.now() - Truth::kReunited)) {
        report(fmt::format("{} is shown {}, which nobody noted", listener.text(), id.raw()), id);
    }
}

void HistoryChecker::judge_gone(const Listener& listener, const RegistId& id, Version from,
                                Version to) {
    const auto found = stories_.find(id);
    if (found == stories_.end()) {
        return;  // that was shown apart
    }
    const Story& story = found->second;
    const bool between = std::ranges::any_of(
        story.gone, [&](Version version) { return from < version && version <= to; });
    if (between || std::ranges::any_of(story.words, &Word::gone) || may_be_lost(story)) {
        return;
    }
    report(fmt::format("{} disappeared from {} and nobody noted why", id.raw(), listener.text()),
           id);
}

void HistoryChecker::at_rest() {
    for (const auto& [id, known] : truth_.publications()) {
        const auto found = stories_.find(id);
        if (known.live()) {
            if (found == stories_.end() ||
                std::ranges::none_of(found->second.words, &Word::there)) {
                report(fmt::format("{} is there and nobody notes it as that", id.raw()), id);
            }
            continue;
        }
        if (found == stories_.end() || found->second.forgotten ||
            std::ranges::any_of(found->second.words, &Word::gone)) {
            continue;
        }
        if (!may_be_lost(found->second)) {
            report(fmt::format("{} ended and nobody noted it", id.raw()), id);
        }
        found->second.forgotten = true;
    }
    rested_ = truth_.now();
}

}  // namespace muster::sim
