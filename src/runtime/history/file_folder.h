#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "history/folder.h"

namespace muster::runtime {

// A folder of the data folder. So much of its file system is left to others: a twentieth of it, at
// most 1 GiB.
class FileFolder final : public history::Folder {
public:
    explicit FileFolder(std::filesystem::path path) : path_(std::move(path)) {}

    [[nodiscard]] Result<std::vector<File>> list() override;
    [[nodiscard]] Result<std::string> read(std::string_view name, std::uint64_t offset,
                                           std::size_t bytes_max) override;
    [[nodiscard]] Result<void> append(std::string_view name, std::string_view bytes) override;
    [[nodiscard]] Result<void> sync(std::string_view name) override;
    [[nodiscard]] Result<void> remove(std::string_view name) override;
    [[nodiscard]] std::uint64_t spare_bytes() override;

private:
    std::filesystem::path path_;
};

}  // namespace muster::runtime
