#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "raft/consensus.h"

// A machine and a listener whose memory tests look into; in no product.
namespace muster::raft {

// Remembers every command, so that any loss or doubling shows.
class Notebook final : public StateMachine {
public:
    std::string apply(LogIndex index, std::string_view command) override {
        lines.emplace_back(command);
        return std::to_string(index.raw()) + ":" + std::string(command);
    }
    [[nodiscard]] Result<void> readable(std::string_view command) const override {
        if (command.starts_with("newer")) {
            return fail(Errc::refused, "of a newer release");
        }
        return {};
    }
    [[nodiscard]] std::string snapshot() const override {
        std::string all;
        for (const std::string& line : lines) {
            all += line + "\n";
        }
        return all;
    }
    [[nodiscard]] Result<void> restore(std::string_view snapshot) override {
        lines.clear();
        while (!snapshot.empty()) {
            const auto end = snapshot.find('\n');
            lines.emplace_back(snapshot.substr(0, end));
            snapshot.remove_prefix(end + 1);
        }
        return {};
    }

    std::vector<std::string> lines;
};

// Remembers what it was told. Owned by a test.
class Witness final : public ConsensusListener {
public:
    void on_applied(Ticket ticket, LogIndex index, std::string result) override {
        acknowledged[ticket.raw()] = {index.raw(), std::move(result)};
    }
    void on_readable(Ticket ticket, LogIndex index) override {
        readable[ticket.raw()] = index.raw();
    }
    void on_refused(Ticket ticket, const Error& why) override {
        refused[ticket.raw()] = why;
    }
    void on_leadership(bool now_leads, Term now_term) override {
        leads = now_leads;
        terms.push_back(now_term.raw());
    }

    std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> acknowledged;
    std::map<std::uint64_t, std::uint64_t> readable;
    std::map<std::uint64_t, Error> refused;
    bool leads = false;
    std::vector<std::uint64_t> terms;
};

}  // namespace muster::raft
