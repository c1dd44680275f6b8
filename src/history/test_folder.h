#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/batch.h"
#include "history/folder.h"

// For tests: a folder in memory that can be full or broken, and records.
namespace muster::history {

class TestFolder final : public Folder {
public:
    Result<std::vector<File>> list() override {
        std::vector<File> all;
        for (const auto& [name, bytes] : files) {
            all.push_back({.name = name, .bytes = bytes.size()});
        }
        return all;
    }
    Result<std::string> read(std::string_view name, std::uint64_t offset,
                             std::size_t bytes_max) override {
        const auto file = files.find(std::string(name));
        if (file == files.end()) {
            return fail(Errc::not_found, std::string(name));
        }
        ++reads;
        return file->second.substr(std::min<std::uint64_t>(offset, file->second.size()), bytes_max);
    }
    Result<void> append(std::string_view name, std::string_view bytes) override {
        if (broken || (room && *room < bytes.size())) {
            return fail(Errc::io_error, "write: no space left");
        }
        if (room) {
            *room -= bytes.size();
        }
        files[std::string(name)] += bytes;
        return {};
    }
    Result<void> sync(std::string_view /*name*/) override {
        return {};
    }
    Result<void> remove(std::string_view name) override {
        if (const auto file = files.find(std::string(name)); file != files.end()) {
            if (room) {
                *room += file->second.size();
            }
            files.erase(file);
        }
        return {};
    }
    std::uint64_t spare_bytes() override {
        return spare.value_or(UINT64_MAX);
    }
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t all = 0;
        for (const auto& [name, bytes] : files) {
            all += bytes.size();
        }
        return all;
    }

    std::map<std::string, std::string> files;
    std::optional<std::uint64_t> room;   // bytes that may still be written; none: any
    std::optional<std::uint64_t> spare;  // as spare_bytes() says; none: any
    bool broken = false;
    std::size_t reads = 0;
};

// One registration of `service`, "p<number>" at 10.0.0.1:<number>.
struct TestRecord {
    std::string service = "orders";
    std::int64_t at_ms = 1'700'000'000'000;
    std::uint64_t number = 1;
    HistoryRecord::What what = HistoryRecord::What::registered;
    HistoryRecord::Why why = HistoryRecord::Why::said;
    RemovalCause cause = RemovalCause::left;
    std::string asked_by = {};

    [[nodiscard]] Publication publication() const {
        return {.id = RegistId("p" + std::to_string(number)),
                .service = std::make_shared<const Service>(Service{.data_id = service}),
                .order = {},
                .client_address = "10.9.9.9:" + std::to_string(20'000 + number % 10'000),
                .boxes = {"10.0.0.1:" + std::to_string(number) + "?weight=100"},
                .attributes = {}};
    }
    [[nodiscard]] HistoryRecord expected() const {
        return {.at_ms = at_ms,
                .slot = SlotId(3),
                .what = what,
                .why = why,
                .cause = cause,
                .id = RegistId("p" + std::to_string(number)),
                .client_address = "10.9.9.9:" + std::to_string(20'000 + number % 10'000),
                .addresses = {"10.0.0.1:" + std::to_string(number)},
                .by = NodeId("session-1"),
                .version = version(),
                .asked_by = asked_by};
    }
    [[nodiscard]] Version version() const {
        return Version((static_cast<std::uint64_t>(at_ms) << kVersionCountBits) + number);
    }
    void add_to(Batch& batch) const {
        const Publication made = publication();
        batch.add({.at = {at_ms},
                   .slot = SlotId(3),
                   .what = what,
                   .why = why,
                   .cause = cause,
                   .publication = made,
                   .by = "session-1",
                   .version = version(),
                   .asked_by = asked_by});
    }
};

[[nodiscard]] inline std::string path_of(const std::string& service) {
    return Service{.data_id = service}.path();
}

}  // namespace muster::history
